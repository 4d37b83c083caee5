"""The attributes of people and clothes in the catalogue of a rendered dataset, which the scorer predicts."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_COLOURS = (
    "black", "white", "grey", "navy", "blue", "light-blue", "red", "burgundy", "green", "olive", "yellow", "orange",
    "pink", "purple", "beige", "brown",
)  # fmt: skip
_PATTERNS = ("plain", "stripes", "bars", "checks", "dots", "blocks", "print", "denim")
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "upper": ("top", "jacket", "dress"),
    "lower": ("trousers", "shorts", "skirt"),
    "sleeve": ("none", "short", "elbow", "long"),
    "lower_length": ("short", "knee", "calf", "full"),
    "neckline": ("round", "v", "high"),
    "upper_pattern": _PATTERNS,
    "upper_colour": _COLOURS,
    "lower_pattern": _PATTERNS,
    "lower_colour": _COLOURS,
    "hair_colour": ("black", "brown", "blond", "red", "grey"),
    "hair_length": ("short", "medium", "long"),
}
"""Values of each column of the catalogue."""
COUNT = sum(len(values) for values in ATTRIBUTES.values())
CLASSES = (
    ("top", "trousers"), ("top", "shorts"), ("top", "skirt"), ("jacket", "trousers"), ("jacket", "shorts"),
    ("jacket", "skirt"), ("dress", "skirt"),
)  # fmt: skip
"""Kinds of clothes: upper and lower."""


def attribute_vectors(labels: Mapping[str, Sequence[str]]) -> NDArray[np.float32]:
    """Return (N, `COUNT`): 1 for each value that an image has, 0 for others, in the order of `ATTRIBUTES`."""
    parts = [
        np.asarray(labels[column])[:, None] == np.asarray(values) for column, values in ATTRIBUTES.items()
    ]
    return np.concatenate(parts, axis=1).astype(np.float32)


def class_numbers(labels: Mapping[str, Sequence[str]]) -> NDArray[np.int64]:
    """Return the number (N,) in `CLASSES` of each image."""
    pairs = zip(labels["upper"], labels["lower"], strict=True)
    return np.array([CLASSES.index(pair) for pair in pairs], np.int64)
