"""A small classifier that learns the clothes of a dataset's own images, to judge drawn ones.

It stands where published evaluations have networks of ImageNet or of DeepFashion: what is measured with it carries
`render` in its name and compares with nothing published.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
from torch import Tensor, nn

from repose.images.attributes import CLASSES, COUNT
from repose.models.flow.layers import Down, ResBlock, initialise, pointwise

_WIDTHS = (16, 32, 64, 96, 128)


class Judged(NamedTuple):
    """Logits of the kind of clothes (B, 7), one of which is right, and of all attributes (B, 73), each right or not."""

    kind: Tensor
    attributes: Tensor


class ImageScorer(nn.Module):
    """Kind of clothes and attributes of the person in an image; the sides are multiples of 16."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = pointwise(3, _WIDTHS[0])
        blocks: list[nn.Module] = []
        for before, after in itertools.pairwise(_WIDTHS):
            blocks += [Down(before, after), ResBlock(after)]
        self.blocks = nn.Sequential(*blocks, nn.ReLU())
        initialise(self)
        self.drop = nn.Dropout(0.3)
        self.kind = nn.Linear(2 * _WIDTHS[-1], len(CLASSES))
        self.attributes = nn.Linear(2 * _WIDTHS[-1], COUNT)

    def forward(self, image: Tensor) -> Judged:  # (B, 3, H, W) in [-1, 1]
        """Judge images."""
        x = self.blocks(self.stem(image))
        pooled = self.drop(torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1))
        return Judged(self.kind(pooled), self.attributes(pooled))


NETWORK = ImageScorer
