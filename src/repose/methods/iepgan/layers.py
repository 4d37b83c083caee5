"""The conditional residual block that generator and discriminator of IEP-GAN share."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.methods.layers.statistics import EPSILON


def normalise(
    x: Tensor,  # (B, N, C)
) -> Tensor:
    """Instance norm over the vertices, without affine part.

    As `repose.methods.layers.statistics.instance_norm`, of plain operations: the R1 penalty differentiates twice.
    """
    centred = x - x.mean(dim=1, keepdim=True)
    return centred * (centred.square().mean(dim=1, keepdim=True) + EPSILON).rsqrt()


class ConditionalNorm(nn.Module):
    """Normalised features, scaled and shifted by linear maps of a condition (SPAdaIN; no "1 +")."""

    def __init__(self, channels: int, condition: int):
        super().__init__()
        self.gamma = nn.Linear(condition, channels)
        self.beta = nn.Linear(condition, channels)

    def forward(
        self,
        normed: Tensor,  # (B, N, channels)
        condition: Tensor,  # (B, N, condition), or (B, 1, condition) for one condition per mesh
    ) -> Tensor:
        """Return `relu(normed ∘ γ + β)`, (B, N, channels)."""
        return F.relu(torch.addcmul(self.beta(condition), normed, self.gamma(condition)))


class ConditionalBlock(nn.Module):
    """Residual block of three conditional norms and three linear maps.

    Args:
        channels: of input and output.
        condition: channels of the condition.
        norm: `normalise`, or the faster `instance_norm`, which can be differentiated once.
    """

    def __init__(self, channels: int, condition: int, norm: Callable[[Tensor], Tensor]):
        super().__init__()
        self.norm = norm
        self.norm_0, self.norm_1, self.norm_s = (ConditionalNorm(channels, condition) for _ in range(3))
        self.conv_0, self.conv_1, self.conv_s = (nn.Linear(channels, channels) for _ in range(3))

    def forward(
        self,
        x: Tensor,  # (B, N, channels)
        condition: Tensor,  # (B, N or 1, condition)
    ) -> Tensor:
        """Return (B, N, channels)."""
        normed = self.norm(x)
        inner = self.norm(self.conv_0(self.norm_0(normed, condition)))
        return self.conv_1(self.norm_1(inner, condition)) + self.conv_s(self.norm_s(normed, condition))
