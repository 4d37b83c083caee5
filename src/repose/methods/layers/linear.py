"""Per-vertex linear maps (the papers' kernel-1 convolutions), alone and folded into one another."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.methods.layers.statistics import instance_norm


class NormedLinear(nn.Linear):
    """Per-vertex linear map followed by instance norm over the vertices.

    The published layers have a bias, which the norm cancels. It is kept, frozen and unused, so that
    checkpoints and parameter counts agree.
    """

    def __init__(self, in_features: int, out_features: int):
        super().__init__(in_features, out_features)
        assert self.bias is not None
        self.bias.requires_grad_(False)

    def forward(
        self,
        x: Tensor,  # (B, N, in_features)
    ) -> Tensor:
        """Return normalised features (B, N, out_features)."""
        return instance_norm(F.linear(x, self.weight))


def folded(
    outer_weight: Tensor,  # (C_out, C)
    outer_bias: Tensor,  # (C_out,)
    weight: Tensor,  # (C, C_in) of the map applied first
    bias: Tensor,  # (C,)
) -> tuple[Tensor, Tensor]:
    """Fold two linear maps with nothing between them into one; its weight (C_out, C_in) and bias (C_out,)."""
    return outer_weight @ weight, torch.addmv(outer_bias, outer_weight, bias)


def sum_of_linear(
    first: Tensor,  # (B, N, C)
    second: Tensor,  # (B, N, C)
    first_weight: Tensor,  # (C_out, C)
    second_weight: Tensor,  # (C_out, C)
    bias: Tensor,  # (C_out,)
) -> Tensor:
    """Return `first @ W1ᵀ + second @ W2ᵀ + bias`, (B, N, C_out), with the addition inside the second product."""
    partial = F.linear(first, first_weight, bias).flatten(0, 1)
    return torch.addmm(partial, second.flatten(0, 1), second_weight.T).unflatten(0, first.shape[:2])
