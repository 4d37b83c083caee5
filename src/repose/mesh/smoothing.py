"""Laplacian smoothing of patches, as differentiable dense products."""

from __future__ import annotations

import torch
from torch import Tensor


def averaging(
    faces: Tensor,  # (K, F, 3), int64 places in the patch
    size: int,
) -> Tensor:
    """Return a matrix (K, P, P) float32 that averages the neighbours of each vertex in the patch; isolated ones stay.

    Args:
        faces: see `repose.mesh.patches.PaddedPatches`.
        size: P, vertices of a patch, padding included.
    """
    patch = torch.arange(len(faces), device=faces.device)[:, None, None].expand(faces.shape)
    joined = torch.zeros(len(faces), size, size, device=faces.device)
    for other in (faces.roll(1, 2), faces.roll(-1, 2)):
        joined.index_put_((patch, faces, other), joined.new_ones(()))
    joined.diagonal(dim1=1, dim2=2).zero_()  # padded faces have one vertex at all corners
    alone = joined.sum(-1) == 0
    joined = joined + torch.diag_embed(alone.float())
    return joined / joined.sum(-1, keepdim=True)


def smooth(
    vertices: Tensor,  # (..., K, P, 3)
    mean_of_neighbours: Tensor,  # (K, P, P), see `averaging`
    steps: int,
) -> Tensor:
    """Move every vertex `steps` times halfway to the mean of its neighbours."""
    with torch.autocast(vertices.device.type, enabled=False):  # half precision would round the coordinates
        batch = vertices.reshape(-1, *vertices.shape[-3:])
        # (K, P, 3 B), so that a matrix is read once for the whole batch
        columns = batch.movedim(0, 2).flatten(2)
        for _ in range(steps):
            columns = torch.lerp(columns, mean_of_neighbours @ columns, 0.5)
    return columns.unflatten(2, (-1, 3)).movedim(2, 0).reshape(vertices.shape)
