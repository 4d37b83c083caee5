"""Discriminators of IEP-GAN: one of whole meshes, and one of regions that should occur together in one pose."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.methods.iepgan.encoder import bins
from repose.methods.iepgan.layers import ConditionalBlock, max_over_vertices, normed


class Discriminator(nn.Module):
    """A discriminator of single meshes: 7,983,873 parameters at the published width 1024, with either pooling.

    Args:
        width: channels of the last features; 1024 as published.
        binned: true: average over 512 intervals of the vertex index and 4 of the channels, as released; false: mean and
            maximum over the vertices, so that their number and order do not matter.
    """

    def __init__(self, width: int = 1024, binned: bool = False):
        super().__init__()
        self.binned = binned
        widths = (width // 4, width // 2, width)
        self.convs = nn.ModuleList(
            nn.Linear(i, o) for i, o in zip((3, *widths), (*widths, width), strict=True)
        )
        self.blocks = nn.ModuleList(ConditionalBlock(c, 3) for c in widths)
        self.head = nn.Sequential(nn.Linear(2 * width, width), nn.Linear(width, 1))

    def forward(
        self,
        vertices: Tensor,  # (B, N, 3), metres
        twice: bool = False,
    ) -> Tensor:
        """Return logits (B,): positive for real meshes; `twice` as in `ConditionalBlock`."""
        x = self.convs[0](vertices)
        for block, conv in zip(self.blocks, self.convs[1:], strict=True):
            x = conv(block(x, vertices, twice))
        x = torch.tanh(x)
        pooled = (
            self._binned(x) if self.binned else torch.cat([x.mean(dim=1), max_over_vertices(x)[:, 0]], dim=1)
        )
        return self.head(pooled)[:, 0]

    def _binned(self, x: Tensor) -> Tensor:
        by_channel = torch.stack([x[..., a:b].mean(dim=2) for a, b in bins(x.shape[2], 4)], dim=1)
        cuts = bins(x.shape[1], x.shape[2] // 2)
        return torch.stack([by_channel[..., a:b].mean(dim=2) for a, b in cuts], dim=2).flatten(1)


class CooccurrenceDiscriminator(nn.Module):
    """Judges whether the points of a smoothed region come from a body in the pose of reference regions.

    It takes the maximum over the points (633,729 parameters). The released one pools over the plane of channels and
    point indices, although the points have no order (371,585 parameters).

    Args:
        width: channels of the point features; 256 as published.
    """

    def __init__(self, width: int = 256):
        super().__init__()
        widths = (3, width // 4, width // 2, width, width)
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in itertools.pairwise(widths))
        self.head = nn.Sequential(nn.Linear(2 * width, 4 * width), nn.ReLU(), nn.Linear(4 * width, 1))

    def features(
        self,
        points: Tensor,  # (B, S, 3), in any order
        twice: bool = False,
    ) -> Tensor:
        """Return one feature per region, (B, width)."""
        x = points
        for layer in self.layers:
            x = F.relu(normed(layer(x), twice))
        return max_over_vertices(x)[:, 0]

    def forward(
        self,
        points: Tensor,  # (B, S, 3)
        references: Tensor,  # (B, R, S, 3)
        twice: bool = False,
    ) -> Tensor:
        """Return logits (B,): positive for points that occur together with the references; `twice` as above."""
        found = self.features(references.flatten(0, 1), twice)
        reference = found.unflatten(0, references.shape[:2]).mean(dim=1)
        return self.head(torch.cat([self.features(points, twice), reference], dim=1))[:, 0]
