"""A Zarr store of the neighbours of faces, which are looked up by the geometry that they belong to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import zarr

from repose.errors import ReposeError
from repose.methods.npr.neighbours import Neighbours
from repose.provenance.stated import stated
from repose.reading import foreign
from repose.store.arrays import read_array, read_meta
from repose.store.rows import MappedRows

if TYPE_CHECKING:
    from repose.methods.npr.network import Npr

FILE_BYTES = 16 << 20
MAX_BYTES = 1 << 30
"""Bytes of the neighbours of one body as they are handed out, 8 a number: 150 times those of 13,776 faces."""
_SHORT = 1 << 16  # up to so many faces, two bytes hold a face number
_HINT = "run `repose neighbours` again"


def write_neighbours(
    out: Path, found: Iterable[tuple[bytes, Neighbours]], count: int, middle: int, keypoints: int
) -> None:
    """Write the neighbours of `count` bodies of equal connectivity, each (1, …), with the keys of their geometry.

    The store has `keys` (bodies, 16) uint8 and an array for each field of `Neighbours`, with the bodies as first axis,
    uint16 or uint32, and many bodies in a file. The arrays are not compressed, so that readers can map them into
    memory; compression would save a seventh (5,120 faces).
    """
    root = zarr.create_group(out, attributes={"middle": middle, "keypoints": keypoints})
    keys: list[bytes] = []
    block: list[Neighbours] = []
    arrays: dict[str, zarr.Array] = {}
    for key, near in found:
        arrays = arrays or _arrays(root, near, count)
        keys.append(key)
        block.append(near)
        if len(block) == arrays["faces"].chunks[0] or len(keys) == count:
            for name, array in arrays.items():
                rows = torch.cat([getattr(near, name) for near in block])
                array[len(keys) - len(block) : len(keys)] = rows.numpy().astype(array.dtype)
            block = []
    root.create_array("keys", data=np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 16))


def _arrays(root: zarr.Group, near: Neighbours, count: int) -> dict[str, zarr.Array]:
    dtype = np.dtype("uint16" if near.faces.shape[1] <= _SHORT else "uint32")
    per_file = max(1, min(count, FILE_BYTES // (dtype.itemsize * sum(x.numel() for x in near))))
    return {
        name: root.create_array(
            name,
            shape=(count, *x.shape[1:]),
            chunks=(per_file, *x.shape[1:]),
            dtype=dtype,
            compressors=None,
            config={"write_empty_chunks": True},  # readers map every file, so each must exist
        )
        for name, x in near._asdict().items()
    }


def known_neighbours(network: Npr, given: Mapping[str, Path]) -> NeighbourStore | None:
    """Return the store of neighbours that a training is given for a network, if there is one."""
    if "neighbours" not in given:
        return None
    return NeighbourStore(given["neighbours"], network.extractor.middle, network.extractor.keypoints)


class NeighbourStore:
    """The neighbours of the bodies that a training encodes, read from a store.

    Raises:
        ReposeError: there is no store, it is damaged, or it is for another number of points.
    """

    def __init__(self, path: Path, middle: int, keypoints: int):
        if not (path / "zarr.json").is_file():
            raise ReposeError("no store of neighbours", where=path, hint="run `repose neighbours`")
        files = stated(path)
        group = read_meta(path, files)
        with foreign(path, "not a store of neighbours", _HINT):
            found = tuple(group["attributes"][name] for name in ("middle", "keypoints"))
        if found != (middle, keypoints):
            raise ReposeError(
                f"neighbours are for {found[0]} and {found[1]} points, the network has {middle} and {keypoints}",
                where=path,
            )
        keys = read_array(path / "keys", files)
        self._path, self._rows = path, {key.tobytes(): row for row, key in enumerate(keys)}
        self._arrays = {name: MappedRows(path / name, files, _HINT) for name in Neighbours._fields}
        for name, array in self._arrays.items():
            if array.shape[0] != len(keys):
                raise ReposeError(f"{array.shape[0]} rows of {name} for {len(keys)} bodies", path, _HINT)
        if (size := 8 * sum(math.prod(x.shape[1:]) for x in self._arrays.values())) > MAX_BYTES:
            raise ReposeError(f"the neighbours of a body have {size} bytes", path, _HINT)

    def find(self, key: bytes) -> Neighbours | None:
        """Return the neighbours (1, …) of the geometry with that key, or None if the store lacks it.

        Raises:
            ReposeError: a file is missing or cut short, or names points that are not there.
        """
        if (row := self._rows.get(key)) is None:
            return None
        rows = (x.take([row]).astype(np.int64) for x in self._arrays.values())
        found = Neighbours(*map(torch.from_numpy, rows))
        faces, centres, keypoints = (
            x.shape[1] for x in (found.faces, found.centres, found.keypoints_in_centres)
        )
        # number of points that each field points into
        there = (faces, faces, faces, centres, centres, keypoints)
        if any(x.min() < 0 or x.max() >= count for x, count in zip(found, there, strict=True)):
            raise ReposeError("neighbours that are not there", self._path, _HINT)
        return found
