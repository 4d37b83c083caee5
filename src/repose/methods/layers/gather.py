"""Features of vertices by their numbers, for whole batches."""

from __future__ import annotations

import torch
from torch import Tensor


def flat(
    index: Tensor,  # (B, ...) int64, of vertices of each mesh
    count: int,
) -> Tensor:
    """Return the flat indices into the vertices of the whole batch, whose meshes have `count` vertices each."""
    first = torch.arange(len(index), device=index.device) * count
    return (index.flatten(1) + first[:, None]).flatten()


def gathered(
    features: Tensor,  # (B, N, C)
    index: Tensor,  # (B, ...) int64 into the N vertices
) -> Tensor:
    """Return the features of the given vertices, (B, ..., C)."""
    rows = flat(index, features.shape[1])
    return features.flatten(0, 1).index_select(0, rows).unflatten(0, index.shape)
