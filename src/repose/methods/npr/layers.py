"""Layers on point clouds: vector attention over neighbours, and a downsampling by it.

The released network normalises one cloud at a time by batch norm in training mode, which is instance norm over the
points. Here it is written as instance norm, so that the clouds of a batch do not affect each other, and training and
prediction are the same. Positions and neighbours may have a leading dimension of 1: then all clouds of the batch share
them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from repose.methods.layers.statistics import instance_norm


def gather(
    x: Tensor,  # (B or 1, N, C)
    index: Tensor,  # (B or 1, M, ...) int64
) -> Tensor:
    """Return the rows of each cloud that its index names: (B or 1, M, ..., C)."""
    if len(index) == 1:
        return x.index_select(1, index.flatten()).unflatten(1, index.shape[1:])
    rows = index.flatten(1)
    return (
        x.expand(len(index), -1, -1)
        .gather(1, rows[..., None].expand(-1, -1, x.shape[-1]))
        .unflatten(1, index.shape[1:])
    )


class Norm(nn.Module):
    """Instance norm over the points, with learned scale and shift."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:  # (B, N, C)
        """Normalise each channel of each cloud."""
        return torch.addcmul(self.bias, instance_norm(x), self.weight)


def two_layers(inputs: int, width: int) -> nn.Sequential:
    """Return a linear layer, ReLU, and a linear layer."""
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width))


def attend(
    scores: Tensor,  # (B, M, k, C)
    values: Tensor,  # (B, M, k, C)
) -> Tensor:
    """Return the values (B, M, C) averaged over the neighbours, with a softmax of the scores in each channel."""
    return (scores.softmax(dim=2) * values).sum(dim=2)


class PointTransformer(nn.Module):
    """Vector self-attention over the nearest neighbours of each point, or over all points."""

    def __init__(self, width: int):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.position = two_layers(3, width)
        self.score = two_layers(width, width)
        self.norm = Norm(width)

    def forward(
        self,
        x: Tensor,  # (B, N, C)
        points: Tensor,  # (B or 1, N, 3)
        neighbours: Tensor | None,  # (B or 1, N, k) int64; None: all points
    ) -> Tensor:
        """Return new features (B, N, C)."""
        key, value = self.key(x), self.value(x)
        if neighbours is None:
            near, key, value = points[:, None], key[:, None], value[:, None]
        else:
            near, key, value = (gather(y, neighbours) for y in (points, key, value))
        place = self.position(points[:, :, None] - near)
        scores = self.score(self.query(x)[:, :, None] - key + place)
        return self.norm(x + attend(scores, value + place))


class Elementwise(nn.Module):
    """Residual perceptron, applied to each point."""

    def __init__(self, width: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, width), Norm(width), nn.ReLU(), nn.Linear(width, width), Norm(width), nn.ReLU()
        )
        self.norm = Norm(width)

    def forward(self, x: Tensor) -> Tensor:  # (B, N, C)
        """Return new features (B, N, C)."""
        return self.norm(x + self.layers(x))


class Downsampling(nn.Module):
    """Attention, applied twice, from some of the points (the centres) to their neighbours in the whole cloud."""

    def __init__(self, width: int):
        super().__init__()
        self.position = two_layers(3, width)
        self.first, self.second = _Attention(width), _Attention(width)
        self.mix = nn.Sequential(nn.Linear(width, width), Norm(width), nn.ReLU(), nn.Linear(width, width))
        self.norms = nn.ModuleList(Norm(width) for _ in range(3))

    def forward(
        self,
        x: Tensor,  # (B, N, C)
        points: Tensor,  # (B or 1, N, 3)
        centres: Tensor,  # (B or 1, M) int64
        neighbours: Tensor,  # (B or 1, M, k) int64, neighbours of each centre in the cloud
    ) -> Tensor:
        """Return the features (B, M, C) of the centres."""
        place = self.position(gather(points, neighbours) - gather(points, centres)[:, :, None])
        own = gather(x, centres)
        found = self.first(own, x, neighbours, place)
        found = self.norms[0](found + self.mix(found))
        again = self.second(found, x, neighbours, place)
        return self.norms[2](self.norms[1](found + again) + own)


class _Attention(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.score = two_layers(width, width)

    def forward(self, own: Tensor, x: Tensor, neighbours: Tensor, place: Tensor) -> Tensor:
        key, value = gather(self.key(x), neighbours), gather(self.value(x), neighbours)
        return attend(self.score(self.query(own)[:, :, None] - key + place), value + place)
