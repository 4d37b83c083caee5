"""The pose applier: it reads a pose's code at the faces of any template and predicts a Jacobian for each face."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from repose.methods.layers.nearest import nearest
from repose.methods.npr.extractor import Code
from repose.methods.npr.layers import attend, gather, two_layers

_NEAREST = 7  # number of nearest keypoints that a face attends to
_BLOCKS = 5


class PoseApplier(nn.Module):
    """Attention from each face to the keypoints nearest to it and to the whole code, then a residual perceptron.

    Args:
        width: channels of the code.
        attention, hidden: channels of the attention and of the perceptron; 200 and 128 as published.
    """

    def __init__(self, width: int = 256, attention: int = 200, hidden: int = 128):
        super().__init__()
        self.query, self.key, self.whole_key, self.value, self.whole_value = (
            nn.Linear(width, attention, bias=False) for _ in range(5)
        )
        self.position = two_layers(3, attention)
        self.score = two_layers(attention, attention)
        self.enter = nn.Linear(attention, hidden)
        self.conditions = nn.ModuleList(nn.Linear(attention, hidden) for _ in range(_BLOCKS))
        self.blocks = nn.ModuleList(_Residual(hidden) for _ in range(_BLOCKS))
        self.leave = nn.Linear(hidden, 9)

    def forward(
        self,
        code: Code,
        queries: Tensor,  # (B or 1, F, 3) centroids of the template at rest
    ) -> Tensor:
        """Return the Jacobians (B, F, 3, 3)."""
        batch = max(len(code.features), len(queries))
        shared = len(queries) == len(code.points)
        points = code.points if shared else code.points.expand(batch, -1, -1)
        near = nearest(queries if shared else queries.expand(batch, -1, -1), points, _NEAREST)
        place = self.position(queries[:, :, None] - gather(points, near))
        query = self.query(code.whole)[:, None, None]  # the same for all faces
        difference = query - gather(self.key(code.features), near) + place
        whole = (self.query(code.whole) - self.whole_key(code.whole))[:, None, None]
        scores = self.score(difference)
        whole_score = self.score(whole).expand(-1, scores.shape[1], -1, -1)
        values = gather(self.value(code.features), near) + place
        whole_value = self.whole_value(code.whole)[:, None, None].expand(-1, scores.shape[1], -1, -1)
        found = attend(torch.cat([scores, whole_score], 2), torch.cat([values, whole_value], 2))
        x = self.enter(found)
        for condition, block in zip(self.conditions, self.blocks, strict=True):
            x = block(x + condition(found))
        return self.leave(x.relu()).unflatten(-1, (3, 3))


class _Residual(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.first(x.relu()).relu())
