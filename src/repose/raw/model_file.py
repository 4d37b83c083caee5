"""Read arrays of a body model from a .npz, or from a .pkl without running its content.

SMPL's pickles hold numpy arrays, scipy sparse matrices and chumpy objects. The latter two become records of their
state, from which the numbers are taken and checked. The reader was written from descriptions of the formats and not
tested on an original pickle.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csc_matrix

from repose.array_pickle import Record, read_pickle
from repose.errors import ReposeError
from repose.reading import MAX_HEADERS, read_bytes, read_npz

HINT = "save the arrays with numpy.savez where you can open the file"
MAX_BYTES = 1 << 30  # bytes of a file, and of its arrays in memory


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
    """Read the named arrays of numbers, and those of the optional arrays that exist.

    Raises:
        ReposeError: the file is missing, damaged or too large, contains anything but arrays, or lacks one.
    """
    if read_bytes(path, MAX_BYTES + MAX_HEADERS).startswith(b"PK"):
        content: Any = read_npz(path, hint=HINT, names=[*names, *optional], limit=MAX_BYTES)
    else:
        content = read_pickle(path, records=RECORDS, limit=MAX_BYTES)
    if not isinstance(content, dict) or (missing := [name for name in names if name not in content]):
        raise ReposeError(
            f"holds no array {missing[0] if isinstance(content, dict) else names[0]!r}", path, HINT
        )
    there = [*names, *(name for name in optional if name in content)]
    return {name: _numbers(content[name], name, path) for name in there}


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
        matrix.check_format(full_check=True)  # scipy itself would write wherever the indices point
        return matrix.toarray()
    except Exception as error:  # errors of scipy for a damaged matrix
        raise ReposeError(f"{name} cannot be taken from its object: {error!r}", path, HINT) from None
