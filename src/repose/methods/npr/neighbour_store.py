"""Neighbours of faces in a Zarr store, found by the geometry they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import zarr

from repose.errors import ReposeError
from repose.methods.npr.neighbours import Neighbours

if TYPE_CHECKING:
    from repose.methods.npr.network import Npr

SHARD_BYTES = 16 << 20
_SHORT = 1 << 16  # so many faces are numbered by two bytes


def write_neighbours(
    out: Path, found: Iterable[tuple[bytes, Neighbours]], count: int, middle: int, keypoints: int
) -> None:
    """Write the neighbours of `count` bodies on one mesh, each (1, …), with the keys of their geometry.

    The store has `keys` (bodies, 16) uint8 and an array for each field of `Neighbours`, bodies first, uint16 or
    uint32: a chunk for each body, many chunks in a file.
    """
    root = zarr.create_group(out, attributes={"middle": middle, "keypoints": keypoints})
    keys: list[bytes] = []
    block: list[Neighbours] = []
    arrays: dict[str, zarr.Array] = {}
    for key, near in found:
        arrays = arrays or _arrays(root, near, count)
        keys.append(key)
        block.append(near)
        if len(block) == arrays["faces"].shards[0] or len(keys) == count:  # type: ignore[index]
            for name, array in arrays.items():
                rows = torch.cat([getattr(near, name) for near in block])
                array[len(keys) - len(block) : len(keys)] = rows.numpy().astype(array.dtype)
            block = []
    root.create_array("keys", data=np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 16))


def _arrays(root: zarr.Group, near: Neighbours, count: int) -> dict[str, zarr.Array]:
    dtype = np.dtype("uint16" if near.faces.shape[1] <= _SHORT else "uint32")
    per_file = max(1, min(count, SHARD_BYTES // (dtype.itemsize * sum(x.numel() for x in near))))
    shapes = {name: tuple(x.shape[1:]) for name, x in near._asdict().items()}
    return {
        name: root.create_array(
            name, shape=(count, *shape), chunks=(1, *shape), shards=(per_file, *shape), dtype=dtype
        )
        for name, shape in shapes.items()
    }


def known_neighbours(network: Npr, given: Mapping[str, Path]) -> NeighbourStore | None:
    """The store that a training is given for a network, if it is."""
    if "neighbours" not in given:
        return None
    return NeighbourStore(given["neighbours"], network.extractor.middle, network.extractor.keypoints)


class NeighbourStore:
    """The neighbours of the bodies that a training encodes.

    Raises:
        ReposeError: there is no store, or it is for another number of points.
    """

    def __init__(self, path: Path, middle: int, keypoints: int):
        if not (path / "zarr.json").is_file():
            raise ReposeError("no store of neighbours", where=path, hint="run `repose neighbours`")
        self._root = zarr.open_group(path, mode="r")
        found = tuple(self._root.attrs[name] for name in ("middle", "keypoints"))
        if found != (middle, keypoints):
            raise ReposeError(
                f"neighbours are for {found[0]} and {found[1]} points, the network has {middle} and {keypoints}",
                where=path,
            )
        keys = np.asarray(self._root["keys"][:])  # type: ignore[index]
        self._rows = {key.tobytes(): row for row, key in enumerate(keys)}

    def find(self, key: bytes) -> Neighbours | None:
        """The neighbours (1, …) of the geometry with that key, if the store has it."""
        if (row := self._rows.get(key)) is None:
            return None
        arrays = (self._root[name] for name in Neighbours._fields)
        return Neighbours(*(torch.from_numpy(x[row].astype(np.int64))[None] for x in arrays))  # type: ignore[index, union-attr]
