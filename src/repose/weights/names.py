"""Helpers for the name lists of all published systems."""

from collections.abc import Iterator, Mapping

from torch import Tensor

Stems = Iterator[tuple[str, str]]  # our name of a layer, the released name


def under(ours: str, theirs: str, names: Mapping[str, str]) -> Stems:
    """Yield the layers of a part of a network, with the same names inside the part."""
    return ((f"{ours}.{a}", f"{theirs}.{b}") for a, b in names.items())


def channels(tensors: Mapping[str, Tensor], key: str, published: int, axis: int = 0) -> int:
    """Return the length of an axis of a tensor, or the published one if there is no such tensor."""
    return tensors[key].shape[axis] if key in tensors and tensors[key].ndim > axis else published
