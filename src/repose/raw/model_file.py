"""Read arrays of a body model from a .npz, or from a .pkl without running what stands in it.

SMPL's pickles hold numpy arrays, scipy sparse matrices and chumpy objects. The two latter become records of their
state, from which the numbers are taken and checked. It was made from the formats' descriptions and not tried on an
original pickle.
"""

import io
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from scipy.sparse import csc_matrix

from repose.array_pickle import Record, read_pickle
from repose.errors import ReposeError

HINT = "save the arrays with numpy.savez where you can open the file"
MAX_BYTES = 1 << 30  # of a file, and of its arrays in memory
MAX_RATIO = 200  # of an array to its place in a .npz; the emptiest, of regressors, shrink to a hundredth


class _Sparse(Record):
    pass


class _Chumpy(Record):
    pass


RECORDS: dict[str, type[Record]] = {
    "scipy.sparse.csc.csc_matrix": _Sparse,
    "scipy.sparse._csc.csc_matrix": _Sparse,
    "chumpy.ch.Ch": _Chumpy,
}


def read_arrays(path: Path, names: Sequence[str], optional: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Read the named arrays of numbers, and those of the optional ones that are there.

    Raises:
        ReposeError: the file is missing, damaged or too large, asks for more than arrays, or lacks one.
    """
    try:
        with path.open("rb") as file:
            is_zip = file.read(2) == b"PK"
    except OSError as error:
        raise ReposeError(f"cannot read: {error.strerror}", path) from None
    content = (
        _npz(path, [*names, *optional]) if is_zip else read_pickle(path, records=RECORDS, limit=MAX_BYTES)
    )
    if not isinstance(content, dict) or (missing := [name for name in names if name not in content]):
        raise ReposeError(
            f"holds no array {missing[0] if isinstance(content, dict) else names[0]!r}", path, HINT
        )
    there = [*names, *(name for name in optional if name in content)]
    return {name: _numbers(content[name], name, path) for name in there}


def _npz(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(path) as archive:
            there = {info.filename: info for info in archive.infolist()}
            wanted = {name: there[f"{name}.npy"] for name in names if f"{name}.npy" in there}
            if sum(info.file_size for info in wanted.values()) > MAX_BYTES:
                raise ReposeError(f"its arrays have more than {MAX_BYTES} bytes", path)
            for name, info in wanted.items():
                if info.file_size > max(1 << 20, MAX_RATIO * info.compress_size):
                    raise ReposeError(f"{name} unpacks to {info.file_size} bytes: a bomb?", path)
            return {name: _npy(archive.read(info)) for name, info in wanted.items()}
    except ReposeError:
        raise
    except Exception as error:  # a damaged file can raise nearly anything
        raise ReposeError(f"not a .npz of plain arrays: {error!r}", path, HINT) from None


def _npy(data: bytes) -> np.ndarray:
    """An array of numbers whose bytes are as many as its header says."""
    file = io.BytesIO(data)
    read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[npy.read_magic(file)]
    shape, fortran, dtype = read_header(file)
    if dtype.kind not in "fiu" or math.prod(shape) * dtype.itemsize != len(data) - file.tell():
        raise ValueError("its header does not fit its bytes")
    return np.ndarray(shape, dtype, data, file.tell(), order="F" if fortran else "C")


def _numbers(value: Any, name: str, path: Path) -> np.ndarray:
    if isinstance(value, _Chumpy):
        value = value.state.get("x") if isinstance(value.state, dict) else None
    if isinstance(value, _Sparse):
        value = _dense(value.state, name, path)
    if type(value) is not np.ndarray or value.dtype.kind not in "fiu":
        raise ReposeError(f"{name} is not an array of numbers", path, HINT)
    return value


def _dense(state: Any, name: str, path: Path) -> np.ndarray:
    try:
        rows, columns = (int(n) for n in state["_shape"])
        parts = tuple(np.asarray(state[key]) for key in ("data", "indices", "indptr"))
        is_sound = all(
            p.ndim == 1 and p.dtype.kind in k for p, k in zip(parts, ("fiu", "iu", "iu"), strict=True)
        )
        if not is_sound or rows * columns * 8 > MAX_BYTES:
            raise ValueError(f"{rows} × {columns} numbers")
        matrix = csc_matrix(parts, shape=(rows, columns))
        matrix.check_format(full_check=True)  # scipy itself writes wherever the indices say
        return matrix.toarray()
    except Exception as error:  # scipy, of a damaged matrix
        raise ReposeError(f"{name} cannot be taken from its object: {error!r}", path, HINT) from None
