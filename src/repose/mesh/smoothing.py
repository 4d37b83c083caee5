"""Laplacian smoothing of vertices, as a sparse product that gradients pass through."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from repose.mesh.operators import unique_edges


def averaging(
    faces: np.ndarray,  # (F, 3), int
    vertex_count: int,
) -> Tensor:
    """Sparse (V, V) float32: row v takes the mean of the neighbours of v; a vertex without any stays."""
    edges = unique_edges(faces).astype(np.int64)
    alone = np.setdiff1d(np.arange(vertex_count), edges)
    rows = np.concatenate([edges[:, 0], edges[:, 1], alone])
    columns = np.concatenate([edges[:, 1], edges[:, 0], alone])
    degree = np.bincount(rows, minlength=vertex_count)
    matrix = torch.sparse_coo_tensor(
        torch.from_numpy(np.stack([rows, columns])),
        torch.from_numpy(1 / degree[rows]).float(),
        (vertex_count, vertex_count),
        check_invariants=True,
    )
    return matrix.coalesce()


def smooth(
    vertices: Tensor,  # (B, V, 3)
    mean_of_neighbours: Tensor,  # sparse (V, V), see `averaging`
    steps: int,
    strength: float = 0.5,
) -> Tensor:
    """Move every vertex `steps` times by `strength` of the way to the mean of its neighbours."""
    rows = vertices.transpose(0, 1).flatten(1)
    for _ in range(steps):
        rows = torch.lerp(rows, torch.sparse.mm(mean_of_neighbours, rows), strength)
    return rows.unflatten(1, (-1, 3)).transpose(0, 1)
