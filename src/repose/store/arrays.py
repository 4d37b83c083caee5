"""Read small Zarr arrays whole, from folders that may be damaged or hostile.

zarr-python and its codecs trust what a file says of its size. Here nothing is decoded into more than its place.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from repose.reading import foreign, read_bytes, read_json

MAX_BYTES = 1 << 30
MAX_META = 16 << 20
_HINT = "delete it and make it again"


def read_meta(path: Path) -> Any:
    """The metadata of a Zarr array or group."""
    return read_json(path / "zarr.json", MAX_META)


def counts(values: Any) -> tuple[int, ...]:
    """A shape of at most five dimensions; raises ValueError for anything else."""
    if not isinstance(values, list) or not 0 < len(values) < 6:
        raise ValueError(f"a shape is {values!r}"[:80])
    if not all(type(n) is int and 0 < n < 1 << 40 for n in values):
        raise ValueError(f"a shape is {values!r}"[:80])
    return tuple(values)


def read_array(path: Path) -> NDArray:
    """All numbers of an array of plain or zstd-compressed chunks.

    Raises:
        ReposeError: it is missing, damaged, stored in another way, or of more than `MAX_BYTES` bytes.
    """
    meta = read_meta(path)
    with foreign(path, "not an array as repose stores it", _HINT):
        shape, chunk = counts(meta["shape"]), counts(meta["chunk_grid"]["configuration"]["chunk_shape"])
        dtype = np.dtype(meta["data_type"]).newbyteorder("<")
        codecs = [codec["name"] for codec in meta["codecs"]]
        grid = [-(-n // step) for n, step in zip(shape, chunk, strict=True)]
        size = math.prod(chunk) * dtype.itemsize
        if max(math.prod(shape) * dtype.itemsize, math.prod(grid) * 1024, size) > MAX_BYTES:
            raise ValueError(f"its shape is {shape}, in chunks of {chunk}")
        if dtype.kind not in "fiu" or codecs not in (["bytes"], ["bytes", "zstd"]):
            raise ValueError(f"numbers of type {dtype}, stored by {codecs}")
        out = np.zeros(shape, dtype)
        for place in np.ndindex(*grid):
            file = path.joinpath("c", *map(str, place))
            if not file.exists():  # Zarr leaves out chunks of zeros
                continue
            data: Any = read_bytes(file, size + 1024)
            if codecs[1:]:
                data = pa.decompress(data, size, "zstd")
            start = [k * step for k, step in zip(place, chunk, strict=True)]
            target = out[tuple(slice(a, a + step) for a, step in zip(start, chunk, strict=True))]
            stored = np.frombuffer(data, dtype).reshape(chunk)
            target[:] = stored[tuple(slice(n) for n in target.shape)]
        return out
