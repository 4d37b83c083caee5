"""A small classifier of the clothes in a dataset's own images, used to score generated images.

Published evaluations use networks trained on ImageNet or DeepFashion instead. Measures made with this classifier have
`render` in their name and cannot be compared with published ones.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.images.attributes import CLASSES, COUNT
from repose.images.classes import LABELS
from repose.methods.flow.layers import Down, ResBlock, initialise, pointwise

_WIDTH = 64
_PARTS = len(LABELS) - 1  # of the body, besides the background
_HIDDEN = 128


class AttributeLogits(NamedTuple):
    """Logits of the kind of clothes (B, 7), one of which is right, and of all attributes (B, 73), each right or not."""

    kind: Tensor
    attributes: Tensor


class ImageScorer(nn.Module):
    """Classifies the kind of clothes and attributes of a person, from features averaged over each part of the body.

    It is given the parts of the body in the true image, so that few images suffice for training.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            pointwise(3, _WIDTH // 4),
            Down(_WIDTH // 4, _WIDTH // 2),
            ResBlock(_WIDTH // 2),
            Down(_WIDTH // 2, _WIDTH),
            ResBlock(_WIDTH),
            nn.ReLU(),
        )
        initialise(self)
        seen = _PARTS * (_WIDTH + 2 * 3) + _WIDTH
        self.hidden = nn.Sequential(
            nn.BatchNorm1d(seen), nn.Dropout(0.3), nn.Linear(seen, _HIDDEN), nn.ReLU(), nn.Dropout(0.3)
        )
        self.kind = nn.Linear(_HIDDEN, len(CLASSES))
        self.attributes = nn.Linear(_HIDDEN, COUNT)

    def forward(
        self,
        image: Tensor,  # (B, 3, H, W) in [-1, 1], sides multiples of 4
        parts: Tensor,  # (B, H, W) int64 labels of the true image, 0 background
    ) -> AttributeLogits:
        """Classify images."""
        masks = F.one_hot(parts, _PARTS + 1)[..., 1:].movedim(-1, 1).to(image.dtype)
        x = self.features(image)
        colour, square = _means(image, masks), _means(image.square(), masks)
        spread = (square - colour.square()).clamp(min=1e-6).sqrt()
        pooled = [colour, spread, _means(x, F.avg_pool2d(masks, 4)), x.amax(dim=(2, 3))]
        hidden = self.hidden(torch.cat(pooled, dim=1))
        return AttributeLogits(self.kind(hidden), self.attributes(hidden))


def _means(x: Tensor, masks: Tensor) -> Tensor:  # (B, C, H, W), (B, P, H, W) to (B, P · C)
    """Return the mean over each part; 0 for a part that is not seen."""
    sums = torch.einsum("bchw,bphw->bpc", x, masks)
    return (sums / masks.sum(dim=(2, 3)).clamp(min=1e-6)[..., None]).flatten(1)
