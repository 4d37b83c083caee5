"""What the lists of names of all published systems are made of."""

from collections.abc import Iterator, Mapping

from torch import Tensor

Stems = Iterator[tuple[str, str]]  # our name of a layer, the released name


def under(ours: str, theirs: str, names: Mapping[str, str]) -> Stems:
    """The layers of a part of a network, which both name within that part."""
    return ((f"{ours}.{a}", f"{theirs}.{b}") for a, b in names.items())


def channels(tensors: Mapping[str, Tensor], key: str, published: int, axis: int = 0) -> int:
    """Length of an axis of a tensor, or the published one where there is no such tensor."""
    return tensors[key].shape[axis] if key in tensors and tensors[key].ndim > axis else published
