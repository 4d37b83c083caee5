"""Encoder of IEP-GAN: a pose code and a shape code from one trunk."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from repose.mesh.density import NEIGHBOURS, SHARES, log_spacings
from repose.methods.iepgan.layers import max_over_vertices
from repose.methods.layers.linear import NormedLinear

_LEAST_VARIANCE = 1e-2  # of a direction, as a share of the largest: smaller ones are noise and not amplified


class PoseCode(NamedTuple):
    """The pose code of a mesh; the size of the body is removed from it."""

    code: Tensor  # (B, N, pose_channels), one per vertex
    summary: Tensor  # (B, 1, width), one per mesh
    unit: Tensor  # (B, N, 3), the vertices, in units of the body's size


class ShapeCode(NamedTuple):
    """The shape code of a mesh, which does not depend on its place or vertex order."""

    code: Tensor  # (B, 1, 4 width)
    log_size: Tensor  # (B, 1, 1), logarithm of the size of the body in metres
    unit: Tensor  # (B, N, 3), the vertices, in units of that size: only the lengths between them are used


class Encoder(nn.Module):
    """Per-vertex layers with instance norm: 2,978,208 parameters at the published widths, and 21 for the size.

    The published shape code is a 3-vector per vertex, as large as the mesh itself, and pose leaks through it; and the
    norms remove the size of the body. Here the shape code is one vector per mesh, a maximum over the vertices, together
    with the size. The pose code also has a summary per mesh, which the generator's norms over the vertices would
    otherwise erase.

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
        # (B, 22), see `spacings_of`: those of the whole mesh, if this is a part
        spacings: Tensor | None = None,
    ) -> PoseCode:
        """Return the pose code of each mesh."""
        unit = vertices * torch.exp(-self.log_size(vertices, spacings))
        return self._pose(self.trunk(vertices), unit)

    def shape(
        self,
        vertices: Tensor,  # (B, N, 3), metres
        spacings: Tensor | None = None,  # (B, 22), as in `pose`
    ) -> ShapeCode:
        """Return the shape code of each mesh."""
        log_size = self.log_size(vertices, spacings)
        return self._shape(self.trunk(vertices), log_size, vertices * torch.exp(-log_size))

    def both(
        self,
        vertices: Tensor,  # (B, N, 3), metres
        spacings: Tensor | None = None,  # (B, 22), as in `pose`
    ) -> tuple[PoseCode, ShapeCode]:
        """Return pose code and shape code of each mesh, which share one `unit`."""
        features, log_size = self.trunk(vertices), self.log_size(vertices, spacings)
        unit = vertices * torch.exp(-log_size)
        return self._pose(features, unit), self._shape(features, log_size, unit)

    def _pose(self, features: Tensor, unit: Tensor) -> PoseCode:
        hidden = self.pose_head[:2](features)
        return PoseCode(self.pose_head[2:](hidden), max_over_vertices(hidden), unit)

    def _shape(self, features: Tensor, log_size: Tensor, unit: Tensor) -> ShapeCode:
        # The last ReLU is left out: normalised values have mean 0, so their maximum is not negative anyway.
        return ShapeCode(max_over_vertices(self.shape_head[:-1](features)), log_size, unit)

    def log_size(
        self,
        vertices: Tensor,  # (B, N, 3), metres
        spacings: Tensor | None = None,  # (B, 22), as in `pose`
    ) -> Tensor:
        """Return the logarithm of the size of each body in metres, (B, 1, 1).

        The size is about the square root of the surface area. It is estimated from the mean distance to the nearest
        vertex, with a learned correction from the distribution of such distances. A body k times as large has k times
        the size, whatever was learned.
        """
        known = spacings_of(vertices) if spacings is None else spacings
        spread = (known[:, 1:] - known[:, :1]) @ self.whitening
        return (known[:, :1] + self.size(spread))[:, None]

    @torch.no_grad()
    def whiten(
        self,
        spacings: Tensor,  # (M, 22) of meshes like those of the training
    ) -> None:
        """Whiten the inputs of the learned size (uncorrelated, unit variance); without this, it learns very slowly."""
        spread = (spacings[:, 1:] - spacings[:, :1]).double()
        values, vectors = torch.linalg.eigh(torch.cov(spread.T))
        floor = _LEAST_VARIANCE * values[-1]
        self.whitening.copy_(vectors * (values + floor).rsqrt())


class ReleasedEncoder(nn.Module):
    """The released encoder, for meshes that share one vertex order; its arguments are those of `Encoder`."""

    def __init__(self, width: int = 512, pose_channels: int = 32):
        super().__init__()
        self.trunk = layers(3, width // 8, width // 4, width)
        self.pose_head = layers(width, width, pose_channels)
        self.shape_head = layers(width, 2 * width, 4 * width)

    def pose_field(
        self,
        vertices: Tensor,  # (B, N, 3), metres
    ) -> Tensor:
        """Return the pose code, (B, N, pose_channels)."""
        return self.pose_head(self.trunk(vertices))

    def shape_field(
        self,
        vertices: Tensor,  # (B, N, 3), metres
    ) -> Tensor:
        """Return the shape code (B, N, 3): the maxima of three groups of channels at every vertex."""
        values = self.shape_head(self.trunk(vertices))
        return torch.stack([values[..., a:b].amax(dim=2) for a, b in bins(values.shape[2], 3)], dim=2)


def spacings_of(
    vertices: Tensor,  # (B, N, 3), metres
) -> Tensor:
    """Return the `log_spacings` of each mesh, (B, 22), without gradient."""
    found = np.stack([log_spacings(mesh) for mesh in vertices.detach().cpu().numpy()])
    return torch.from_numpy(found).to(vertices)


def bins(size: int, count: int) -> list[tuple[int, int]]:
    """Return start and end of each of `count` intervals of 0 … size - 1, as adaptive pooling divides them."""
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def layers(*widths: int) -> nn.Sequential:
    """Return per-vertex linear maps, each with instance norm and ReLU."""
    modules: list[nn.Module] = []
    for i, o in itertools.pairwise(widths):
        modules += [NormedLinear(i, o), nn.ReLU()]
    return nn.Sequential(*modules)
