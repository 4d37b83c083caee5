"""The conditional residual block that generator and discriminator of IEP-GAN share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.methods.layers.linear import sum_of_linear
from repose.methods.layers.modulation import modulate
from repose.methods.layers.statistics import EPSILON, instance_norm


def normed(
    x: Tensor,  # (B, N, C)
    twice: bool = False,
) -> Tensor:
    """Instance norm over the vertices, without affine part; with `twice`, it can be differentiated twice."""
    if not twice:
        return instance_norm(x)
    centred = x - x.mean(dim=1, keepdim=True)
    return centred * (centred.square().mean(dim=1, keepdim=True) + EPSILON).rsqrt()


class _MaxOverVertices(torch.autograd.Function):
    """Maximum over the vertices with its own gradient.

    The gradient of torch's maximum counts ties as booleans, which takes most of its time.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        found = x.amax(dim=1, keepdim=True)
        ctx.save_for_backward(x, found)
        return found

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        x, found = ctx.saved_tensors
        there = torch.eq(x, found, out=torch.empty_like(x))
        return there * (grad / there.sum(dim=1, keepdim=True))


def max_over_vertices(
    x: Tensor,  # (B, N, C)
) -> Tensor:
    """Return the maximum over the vertices, (B, 1, C)."""
    return _MaxOverVertices.apply(x)


class ConditionalNorm(nn.Module):
    """Normalised features, scaled and shifted by linear maps of a condition (SPAdaIN; no "1 +")."""

    def __init__(self, channels: int, condition: int):
        super().__init__()
        self.gamma = nn.Linear(condition, channels)
        self.beta = nn.Linear(condition, channels)

    def forward(
        self,
        x: Tensor,  # (B, N, channels), normalised
        condition: Tensor,  # (B, N, condition), or (B, 1, condition) for one condition per mesh
        twice: bool = False,
    ) -> Tensor:
        """Return `relu(x ∘ γ + β)`, (B, N, channels)."""
        if twice:
            return F.relu(torch.addcmul(self.beta(condition), x, self.gamma(condition)))
        if condition.shape[1] == 1:
            ones = x.new_ones(*x.shape[:2], 1)
            return modulate(x, ones, self.gamma(condition), self.beta(condition), 0.0)
        scale, shift = (
            torch.cat([m.weight.T, m.bias[None]]).expand(len(x), -1, -1) for m in (self.gamma, self.beta)
        )
        return modulate(x, F.pad(condition, (0, 1), value=1.0), scale, shift, 0.0)


class ConditionalBlock(nn.Module):
    """Residual block of three conditional norms and three linear maps.

    Args:
        channels: of input and output.
        condition: channels of the condition.
    """

    def __init__(self, channels: int, condition: int):
        super().__init__()
        self.norm_0, self.norm_1, self.norm_s = (ConditionalNorm(channels, condition) for _ in range(3))
        self.conv_0, self.conv_1, self.conv_s = (nn.Linear(channels, channels) for _ in range(3))

    def forward(
        self,
        x: Tensor,  # (B, N, channels)
        condition: Tensor,  # (B, N or 1, condition)
        twice: bool = False,
    ) -> Tensor:
        """Return (B, N, channels); `twice` takes longer and can be differentiated twice."""
        outer = normed(x, twice)
        inner = normed(self.conv_0(self.norm_0(outer, condition, twice)), twice)
        main, skip = self.norm_1(inner, condition, twice), self.norm_s(outer, condition, twice)
        bias = self.conv_1.bias + self.conv_s.bias
        return sum_of_linear(main, skip, self.conv_1.weight, self.conv_s.weight, bias)
