"""Read Zarr arrays, whole or by rows, from folders that may be damaged or hostile.

zarr-python and its codecs trust the sizes that a file states. Here nothing is decoded beyond the expected size.
"""

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from repose.provenance.stated import Stated
from repose.reading import foreign, parse_json, read_bytes

MAX_BYTES = 1 << 30  # bytes that are read at once
MAX_META = 16 << 20
_WHAT = "not an array as repose stores it"


def read_meta(path: Path, files: Stated) -> Any:
    """Return the metadata of a Zarr array or group."""
    data = read_bytes(path / "zarr.json", MAX_META)
    files.check(path / "zarr.json", data)
    return parse_json(data, path / "zarr.json")


def counts(values: Any) -> tuple[int, ...]:
    """Return a shape of at most five dimensions; raise ValueError for anything else."""
    if not isinstance(values, list) or not 0 < len(values) < 6:
        raise ValueError(f"a shape is {values!r}"[:80])
    if not all(type(n) is int and 0 < n < 1 << 40 for n in values):
        raise ValueError(f"a shape is {values!r}"[:80])
    return tuple(values)


class StoredArray:
    """An array of plain or zstd-compressed chunks, read by rows.

    Args:
        path: folder of the array.
        files: statements on the files of its store; each file is checked when it is read.
        hint: what the user should do if it is damaged.

    Attributes:
        shape, dtype: those of the whole array.

    Raises:
        ReposeError: the array is missing, damaged or stored in another way, or a chunk has more than `MAX_BYTES` bytes.
    """

    def __init__(self, path: Path, files: Stated, hint: str = "delete it and make it again"):
        meta = read_meta(path, files)
        with foreign(path, _WHAT, hint):
            self.shape = counts(meta["shape"])
            self._chunk = counts(meta["chunk_grid"]["configuration"]["chunk_shape"])
            self.dtype = np.dtype(meta["data_type"]).newbyteorder("<")
            codecs = [codec["name"] for codec in meta["codecs"]]
            # Numbers of one byte have no byte order.
            order = meta["codecs"][0].get("configuration", {}).get("endian", "little")
            is_known = codecs in (["bytes"], ["bytes", "zstd"]) and order == "little"
            if self.dtype.kind not in "fiu" or not is_known:
                raise ValueError(f"numbers of type {self.dtype}, stored by {codecs} in order {order}")
            self._size = math.prod(self._chunk) * self.dtype.itemsize
            if len(self._chunk) != len(self.shape) or self._size > MAX_BYTES:
                raise ValueError(f"its shape is {self.shape}, in chunks of {self._chunk}")
        self._path, self._files, self._hint, self._is_compressed = path, files, hint, "zstd" in codecs

    def rows(self, start: int, stop: int) -> NDArray:
        """Return the rows from `start` to before `stop`, or as many as exist.

        Raises:
            ReposeError: a chunk is missing or damaged, or the rows have more than `MAX_BYTES` bytes.
        """
        with foreign(self._path, _WHAT, self._hint):
            shape = (max(min(stop, self.shape[0]) - start, 0), *self.shape[1:])
            ends = (start + shape[0], *self.shape[1:])
            first = (start // self._chunk[0], *[0] * len(shape[1:]))
            grid = [range(a, -(-n // step)) for a, n, step in zip(first, ends, self._chunk, strict=True)]
            # A chunk that exists only in the metadata costs time, too, because it is looked for.
            if max(math.prod(shape) * self.dtype.itemsize, math.prod(map(len, grid)) * 1024) > MAX_BYTES:
                raise ValueError(f"its shape is {self.shape}, in chunks of {self._chunk}")
            out = np.zeros(shape, self.dtype)
            for place in itertools.product(*grid):
                if (stored := self._decoded(place)) is None:
                    continue
                corner = [k * step for k, step in zip(place, self._chunk, strict=True)]
                skipped = max(start - corner[0], 0)
                corner[0] = max(corner[0] - start, 0)
                there = [step - skipped * (axis == 0) for axis, step in enumerate(self._chunk)]
                target = out[tuple(slice(a, a + n) for a, n in zip(corner, there, strict=True))]
                target[:] = stored[skipped:][tuple(slice(n) for n in target.shape)]
            return out

    def _decoded(self, place: tuple[int, ...]) -> NDArray | None:
        """Return one chunk, or None for a chunk of zeros, which Zarr leaves out."""
        file = self._path.joinpath("c", *map(str, place))
        if not file.exists():
            self._files.check_missing(file)
            return None
        data: Any = read_bytes(file, self._size + 1024)
        self._files.check(file, data)
        if self._is_compressed:
            data = pa.decompress(data, self._size, "zstd")
        return np.frombuffer(data, self.dtype).reshape(self._chunk)


def read_array(path: Path, files: Stated) -> NDArray:
    """Return all numbers of an array; raises as `StoredArray` and its `rows`."""
    array = StoredArray(path, files)
    return array.rows(0, array.shape[0])
