"""Encoder of IEP-GAN: a pose code and a shape code from one trunk."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from repose.mesh.density import NEIGHBOURS, SHARES, log_spacings
from repose.methods.iepgan.layers import greatest
from repose.methods.layers.linear import NormedLinear

_LEAST_VARIANCE = 1e-2  # of a direction, as a share of the largest: noise below is not blown up


class PoseCode(NamedTuple):
    """What a mesh says about pose; its size is taken out."""

    code: Tensor  # (B, N, pose_channels), one per vertex
    summary: Tensor  # (B, 1, width), one per mesh
    unit: Tensor  # (B, N, 3), the vertices, in units of the size of the body


class ShapeCode(NamedTuple):
    """What a mesh says about the body; place and vertex order are taken out."""

    code: Tensor  # (B, 1, 4 width)
    log_size: Tensor  # (B, 1, 1), logarithm of the size of the body, of metres
    unit: Tensor  # (B, N, 3), the vertices, in units of that size: the lengths between them are read, nothing else


class Encoder(nn.Module):
    """Per-vertex layers with instance norm: 2,978,208 parameters at the published widths, and 21 for the size.

    The published shape code is a 3-vector per vertex, as much as the mesh itself, and pose leaks through it; the norms
    take the size of the body away. Here the shape code is one vector per mesh, by a maximum over the vertices,
    beside the size; and the pose code has a summary, which norms over the vertices of the generator would erase.

    Args:
        width: channels of the trunk's output; 512 as published.
        pose_channels: channels of the pose code; 32 as published.
    """

    def __init__(self, width: int = 512, pose_channels: int = 32):
        super().__init__()
        self.trunk = layers(3, width // 8, width // 4, width)
        self.pose_head = layers(width, width, pose_channels)
        self.shape_head = layers(width, 2 * width, 4 * width)
        spread = len(NEIGHBOURS) * len(SHARES)
        self.size = nn.Linear(spread, 1, bias=False)
        nn.init.zeros_(self.size.weight)
        self.whitening: Tensor  # (21, 21), see `whiten`
        self.register_buffer("whitening", torch.eye(spread))

    def pose(
        self,
        vertices: Tensor,  # (B, N, 3), metres, about the middle of the bounding box
        spacings: Tensor | None = None,  # (B, 22), see `spacings_of`: of the whole mesh, if this is a part
    ) -> PoseCode:
        """The pose code of each mesh."""
        unit = vertices * torch.exp(-self.log_size(vertices, spacings))
        return self._pose(self.trunk(vertices), unit)

    def shape(
        self,
        vertices: Tensor,  # (B, N, 3), metres
        spacings: Tensor | None = None,  # (B, 22), as in `pose`
    ) -> ShapeCode:
        """The shape code of each mesh."""
        log_size = self.log_size(vertices, spacings)
        return self._shape(self.trunk(vertices), log_size, vertices * torch.exp(-log_size))

    def both(
        self,
        vertices: Tensor,  # (B, N, 3), metres
        spacings: Tensor | None = None,  # (B, 22), as in `pose`
    ) -> tuple[PoseCode, ShapeCode]:
        """Pose code and shape code of each mesh, with one and the same `unit`."""
        features, log_size = self.trunk(vertices), self.log_size(vertices, spacings)
        unit = vertices * torch.exp(-log_size)
        return self._pose(features, unit), self._shape(features, log_size, unit)

    def _pose(self, features: Tensor, unit: Tensor) -> PoseCode:
        hidden = self.pose_head[:2](features)
        return PoseCode(self.pose_head[2:](hidden), greatest(hidden), unit)

    def _shape(self, features: Tensor, log_size: Tensor, unit: Tensor) -> ShapeCode:
        # Without the last ReLU: what is normalised has mean 0, so its maximum is not negative.
        return ShapeCode(greatest(self.shape_head[:-1](features)), log_size, unit)

    def log_size(
        self,
        vertices: Tensor,  # (B, N, 3), metres
        spacings: Tensor | None = None,  # (B, 22), as in `pose`
    ) -> Tensor:
        """Logarithm of the size of each body, (B, 1, 1), of metres.

        About the root of the surface: what it is by the mean distance to the nearest vertex, corrected by the learned
        share of the distribution of such distances. A body k times as large has k times the size, whatever was
        learned.
        """
        known = spacings_of(vertices) if spacings is None else spacings
        spread = (known[:, 1:] - known[:, :1]) @ self.whitening
        return (known[:, :1] + self.size(spread))[:, None]

    @torch.no_grad()
    def whiten(
        self,
        spacings: Tensor,  # (M, 22) of meshes like those of the training
    ) -> None:
        """Make what the size is learned from uncorrelated, of unit variance, or learning it would take very long."""
        spread = (spacings[:, 1:] - spacings[:, :1]).double()
        values, vectors = torch.linalg.eigh(torch.cov(spread.T))
        floor = _LEAST_VARIANCE * values[-1]
        self.whitening.copy_(vectors * (values + floor).rsqrt())


class ReleasedEncoder(nn.Module):
    """The released codes, for meshes of one vertex order; arguments as of `Encoder`."""

    def __init__(self, width: int = 512, pose_channels: int = 32):
        super().__init__()
        self.trunk = layers(3, width // 8, width // 4, width)
        self.pose_head = layers(width, width, pose_channels)
        self.shape_head = layers(width, 2 * width, 4 * width)

    def pose_field(
        self,
        vertices: Tensor,  # (B, N, 3), metres
    ) -> Tensor:
        """The pose code, (B, N, pose_channels)."""
        return self.pose_head(self.trunk(vertices))

    def shape_field(
        self,
        vertices: Tensor,  # (B, N, 3), metres
    ) -> Tensor:
        """The shape code (B, N, 3): the maxima of three groups of channels at every vertex."""
        values = self.shape_head(self.trunk(vertices))
        return torch.stack([values[..., a:b].amax(dim=2) for a, b in bins(values.shape[2], 3)], dim=2)


def spacings_of(
    vertices: Tensor,  # (B, N, 3), metres
) -> Tensor:
    """The `log_spacings` of each mesh, (B, 22); they pass no gradient."""
    found = np.stack([log_spacings(mesh) for mesh in vertices.detach().cpu().numpy()])
    return torch.from_numpy(found).to(vertices)


def bins(size: int, count: int) -> list[tuple[int, int]]:
    """First and one past the last of each of `count` stretches of 0 … size - 1, as adaptive pooling cuts them."""
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def layers(*widths: int) -> nn.Sequential:
    """Per-vertex linear maps, each with instance norm and ReLU."""
    modules: list[nn.Module] = []
    for i, o in itertools.pairwise(widths):
        modules += [NormedLinear(i, o), nn.ReLU()]
    return nn.Sequential(*modules)
