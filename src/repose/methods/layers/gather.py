"""Features of vertices by their numbers, for whole batches."""

from __future__ import annotations

import torch
from torch import Tensor


def flat(
    index: Tensor,  # (B, ...) int64, of vertices of each mesh
    count: int,
) -> Tensor:
    """Where they are among the vertices of all meshes of the batch, which have `count` each: all numbers in a row."""
    first = torch.arange(len(index), device=index.device) * count
    return (index.flatten(1) + first[:, None]).flatten()


def gathered(
    features: Tensor,  # (B, N, C)
    index: Tensor,  # (B, ...) int64 into the N vertices
) -> Tensor:
    """The features of those vertices, (B, ..., C)."""
    rows = flat(index, features.shape[1])
    return features.flatten(0, 1).index_select(0, rows).unflatten(0, index.shape)
