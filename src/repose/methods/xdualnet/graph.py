"""The neighbourhood of a vertex: its nearest vertices, including itself."""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial import KDTree
from torch import Tensor

from repose.methods.layers.nearest import nearest


def neighbourhoods(
    points: Tensor,  # (B, N, 3)
    count: int,
    vertices: int | None = None,
) -> Tensor:
    """Return the neighbourhood (B, N, min(count, N)) int64 of each point, nearest first, without gradient.

    Args:
        points: vertices of meshes.
        count: size of a neighbourhood.
        vertices: on a mesh with r times as many vertices, r > 1, every r-th nearest one is taken. A neighbourhood is
            then as wide as on that many random points of the mesh. None: the nearest ones are taken.
    """
    ranks = _ranks(points.shape[1], count, vertices)
    wanted = int(ranks[-1]) + 1
    search = by_tree if points.device.type == "cpu" else by_distances
    found = search(points.detach(), wanted)
    return found if wanted == len(ranks) else found[..., torch.from_numpy(ranks)]


def by_tree(points: Tensor, count: int) -> Tensor:
    """Return the nearest points (B, N, count), found by a k-d tree of each mesh on the CPU."""
    found = [KDTree(mesh).query(mesh, count)[1] for mesh in points.double().numpy()]
    return torch.from_numpy(np.stack(found).astype(np.int64)).reshape(*points.shape[:2], count)


def by_distances(points: Tensor, count: int) -> Tensor:
    """Return the nearest points (B, N, count), by the distances of all pairs."""
    wide = points.float() if points.dtype in (torch.bfloat16, torch.float16) else points
    return nearest(wide, wide, count)


def _ranks(size: int, count: int, vertices: int | None) -> np.ndarray:
    """Return which ranks of the nearest of `size` points are a neighbourhood, (min(count, size),) ascending."""
    stride = 1.0 if vertices is None else max(1.0, size / vertices)
    ranks = np.rint(np.arange(min(count, size)) * stride).astype(np.int64)
    return ranks[ranks < size]
