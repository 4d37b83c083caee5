"""Pairs of images, and the batches that trainings read of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from repose.columns import PAIR
from repose.images.attributes import attribute_vectors, class_numbers
from repose.store.image_store import ImageStore


class ImageBatch(NamedTuple):
    """Sources and targets of one person each."""

    source: Tensor  # (B, 3, H, W) in [-1, 1]
    target: Tensor  # (B, 3, H, W) in [-1, 1]
    source_joints: Tensor  # (B, 18, 3): x, y in pixels, seen
    target_joints: Tensor  # (B, 18, 3)


class FlowBatch(NamedTuple):
    """The truth about pairs of images, without the images."""

    source_joints: Tensor  # (B, 18, 3): x, y in pixels, seen
    target_joints: Tensor  # (B, 18, 3)
    flow: Tensor  # (B, 2, H, W) pixels; 0 on the background
    visibility: Tensor  # (B, 1, H, W) float, classes 0, 1, 2
    source_parts: Tensor  # (B, H, W) int64 labels
    target_parts: Tensor  # (B, H, W) int64


class PartBatch(NamedTuple):
    """Images and the parts of the body in them."""

    image: Tensor  # (B, 3, H, W) in [-1, 1]
    parts: Tensor  # (B, H, W) int64 labels


class LabelBatch(NamedTuple):
    """Images and the known attributes of their clothes."""

    image: Tensor  # (B, 3, H, W) in [-1, 1]
    parts: Tensor  # (B, H, W) int64 labels
    kind: Tensor  # (B,) int64, of `repose.images.attributes.CLASSES`
    attributes: Tensor  # (B, A) 0 or 1, of `repose.images.attributes.ATTRIBUTES`


class ImagePairs:
    """Pairs (source, target) of a split as rows of an image store."""

    def __init__(self, store: ImageStore, pairs: pd.DataFrame):
        self.store = store
        columns = pairs[PAIR]
        self.rows = np.array([[store.index_of(m) for m in row] for row in columns.itertuples(index=False)])

    def __len__(self) -> int:
        return len(self.rows)

    def images(self, chosen: NDArray[np.integer]) -> ImageBatch:
        """Return the pairs numbered `chosen`, with their images."""
        source, target = self.rows[chosen].T
        first, second = (scaled(self.store.images(rows)) for rows in (source, target))
        return ImageBatch(first, second, *self._joints(chosen))

    def flows(self, chosen: NDArray[np.integer]) -> FlowBatch:
        """Return the pairs numbered `chosen`, with their flow."""
        found = [self.store.flow(int(source), int(target)) for source, target in self.rows[chosen]]
        flow = torch.from_numpy(np.stack([flow for flow, _ in found])).movedim(-1, 1).contiguous()
        visibility = torch.from_numpy(np.stack([seen for _, seen in found]))[:, None].float()
        parts = (self._parts(rows) for rows in self.rows[chosen].T)
        return FlowBatch(*self._joints(chosen), flow, visibility, *parts)

    def parts(self, chosen: NDArray[np.integer]) -> PartBatch:
        """Return the targets of the pairs numbered `chosen`, with their segmentation."""
        rows = self.rows[chosen, 1]
        return PartBatch(scaled(self.store.images(rows)), self._parts(rows))

    def labelled(self, chosen: NDArray[np.integer]) -> LabelBatch:
        """Return the targets of the pairs numbered `chosen`, with their attributes."""
        rows = self.rows[chosen, 1]
        labels = self.store.labels(rows)
        known = (torch.from_numpy(x) for x in (class_numbers(labels), attribute_vectors(labels)))
        return LabelBatch(scaled(self.store.images(rows)), self._parts(rows), *known)

    def _parts(self, rows: NDArray[np.integer]) -> Tensor:
        return torch.from_numpy(self.store.segmentation(rows).astype(np.int64))

    def _joints(self, chosen: NDArray[np.integer]) -> tuple[Tensor, Tensor]:
        source, target = self.rows[chosen].T
        return torch.from_numpy(self.store.joints(source)), torch.from_numpy(self.store.joints(target))


def scaled(images: NDArray[np.uint8]) -> Tensor:
    """Convert (B, H, W, 3) in 0 … 255 to (B, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(images).movedim(-1, 1).float() / 127.5 - 1


def unscaled(images: Tensor) -> NDArray[np.uint8]:
    """Convert (B, 3, H, W) in [-1, 1] to (B, H, W, 3) in 0 … 255, rounded to the nearest."""
    pixels = ((images + 1) * 127.5).round().clamp(0, 255).byte()
    return np.ascontiguousarray(pixels.movedim(1, -1).cpu().numpy())


@dataclass(frozen=True)
class ImageData:
    """The data that a training on images may read."""

    store: ImageStore
    train: ImagePairs
    val: ImagePairs
    given: Mapping[str, Path] = field(default_factory=dict, kw_only=True)  # weights of other trainings
