"""Elastic instance normalisation (3D-CoreNet, sec. 3.2), with its linear chains folded.

ElaIN(x; f) = (x - μ)/σ ∘ (1 + γ') + β' with γ' = w γ + (1 - w) σ, β' = w β + (1 - w) μ, where γ and β
are per-vertex maps of the condition f, w = Linear([mean h ; mean x]) is one unbounded weight per mesh
and channel, and σ² has the unbiased variance. "1 +" and "unbiased" follow the released code; the paper's
formula has neither. γ and β are linear in f, so both fold into one matrix of each mesh (see `modulate`).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.methods.layers.linear import folded, sum_of_linear
from repose.methods.layers.modulation import modulate
from repose.methods.layers.padding import padded
from repose.methods.layers.spectral import SpectralLinear
from repose.methods.layers.statistics import EPSILON, centre

_SLOPE = 0.2


class ElaIN(nn.Module):
    """Parameters of one elastic instance norm; `forward` also applies the LeakyReLU(0.2) that follows it."""

    def __init__(self, channels: int, cond_channels: int):
        super().__init__()
        self.mlp_same = nn.Linear(cond_channels, channels)
        self.mlp_gamma = nn.Linear(channels, channels)
        self.mlp_beta = nn.Linear(channels, channels)
        self.mlp_weight = nn.Linear(2 * channels, channels)

    def forward(
        self,
        statistics: tuple[Tensor, Tensor, Tensor],  # centred features (B, N, C), mean and std (B, 1, C)
        cond: Tensor,  # (B, N, K + 1), the last channel is 1; on a GPU, padding follows
        cond_mean: Tensor,  # (B, 1, K)
        from_condition: Tensor,  # (K + 1, 2 C), see fold
    ) -> Tensor:
        """Return activated, normalised features (B, N, C)."""
        centred, mean, std = statistics
        w = self.mlp_weight(torch.cat([self.mlp_same(cond_mean), mean], dim=-1))
        gamma, beta = from_condition.chunk(2, dim=1)
        # The contribution of the condition's channel of ones, which follows its K other channels.
        ones = (0, 0, cond_mean.shape[2], cond.shape[2] - cond_mean.shape[2] - 1)
        scale = (w * gamma + F.pad(1 + (1 - w) * std, ones)) / std
        shift = w * beta + F.pad((1 - w) * mean, ones)
        return modulate(centred, cond, scale, shift, _SLOPE)

    def fold(self) -> Tensor:
        """Return the maps from the condition to γ and to β, (K + 1, 2 C), padded like the condition."""
        weight = torch.cat([self.mlp_gamma.weight, self.mlp_beta.weight])
        bias = torch.cat([self.mlp_gamma.bias, self.mlp_beta.bias])
        weight, bias = folded(weight, bias, self.mlp_same.weight, self.mlp_same.bias)
        return padded(torch.cat([weight, bias[:, None]], dim=1), 1).T


class FoldedBlock(NamedTuple):
    """The part of a block that depends on its parameters alone.

    Attributes:
        norms: the maps from the condition for norm_0, norm_1, norm_s, (K + 1, 2 C).
        conv_0: normalised weight, (C, C).
        main: conv_1 and the map that follows the block, weight (C_out, C) and bias (C_out,).
        skip: conv_s and the map that follows the block, (C_out, C).
    """

    norms: tuple[Tensor, Tensor, Tensor]
    conv_0: Tensor
    main: tuple[Tensor, Tensor]
    skip: Tensor


class ElaINBlock(nn.Module):
    """Residual block of three ElaIN and three spectrally normalised maps, joined with the map after it."""

    def __init__(self, channels: int, cond_channels: int):
        super().__init__()
        self.conv_0 = SpectralLinear(channels, channels)
        self.conv_1 = SpectralLinear(channels, channels)
        self.conv_s = SpectralLinear(channels, channels, bias=False)
        self.norm_0, self.norm_1, self.norm_s = (ElaIN(channels, cond_channels) for _ in range(3))

    def fold(self, following: nn.Linear) -> FoldedBlock:
        """Fold the block with the map C -> C_out that follows it; in training mode this runs once per forward pass."""
        norms = self.norm_0.fold(), self.norm_1.fold(), self.norm_s.fold()
        w_0, w_1, w_s = (conv.normalised_weight() for conv in (self.conv_0, self.conv_1, self.conv_s))
        main = folded(following.weight, following.bias, w_1, self.conv_1.bias)
        return FoldedBlock(norms, w_0, main, following.weight @ w_s)

    def forward(
        self,
        x: Tensor,  # (B, N, C)
        cond: Tensor,  # (B, N, K + 1), as in `ElaIN`
        cond_mean: Tensor,  # (B, 1, K)
        fold: FoldedBlock,  # of these parameters
    ) -> Tensor:
        """Return `following(block(x))`, (B, N, C_out), for the map that the block is folded with."""
        outer = _statistics(x)
        skip = self.norm_s(outer, cond, cond_mean, fold.norms[2])
        hidden = F.linear(self.norm_0(outer, cond, cond_mean, fold.norms[0]), fold.conv_0, self.conv_0.bias)
        main = self.norm_1(_statistics(hidden), cond, cond_mean, fold.norms[1])
        weight, bias = fold.main
        return sum_of_linear(main, skip, weight, fold.skip, bias)


def _statistics(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    centred, mean, squares = centre(x)
    return centred, mean, (squares / (x.shape[1] - 1) + EPSILON).sqrt()
