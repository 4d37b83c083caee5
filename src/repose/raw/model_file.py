"""Read arrays of a body model from a .npz, or from a .pkl without running what stands in it.

SMPL's pickles hold numpy arrays, scipy sparse matrices and chumpy objects. The reader here rebuilds arrays only; the
others become records of their state, from which the numbers are taken. Any other name ends in an error before
anything is called. It was made from the formats' descriptions and not tried on an original pickle.
"""

import io
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csc_matrix

from repose.array_pickle import ArrayUnpickler
from repose.errors import ReposeError

HINT = "save the arrays with numpy.savez where you can open the file"


class _Record:
    """An object of a class that is not imported: only its state."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Sparse(_Record):
    pass


class _Chumpy(_Record):
    pass


def _reconstructor(cls: Any, base: Any, state: Any) -> _Record:
    """How protocols 0 and 1 begin an object."""
    if base is not object or cls not in (_Sparse, _Chumpy):
        raise pickle.UnpicklingError(f"it builds {cls}")
    return cls()


_ALSO: dict[tuple[str, str], Callable[..., Any]] = {
    ("copy_reg", "_reconstructor"): _reconstructor,
    ("copyreg", "_reconstructor"): _reconstructor,
    ("__builtin__", "object"): object,
    ("builtins", "object"): object,
    ("scipy.sparse.csc", "csc_matrix"): _Sparse,
    ("scipy.sparse._csc", "csc_matrix"): _Sparse,
    ("chumpy.ch", "Ch"): _Chumpy,
}


def read_arrays(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Read the named arrays of numbers.

    Raises:
        ReposeError: the file is missing or damaged, asks for more than arrays, or lacks one.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ReposeError(f"cannot read: {error.strerror}", path) from None
    try:
        content = (
            _npz(data, names)
            if data.startswith(b"PK")
            else ArrayUnpickler(io.BytesIO(data), _ALSO, encoding="latin1").load()
        )
    except Exception as error:  # a damaged file can raise nearly anything
        raise ReposeError(f"not a model of plain arrays: {error}", path, HINT) from error
    if not isinstance(content, dict) or (missing := [name for name in names if name not in content]):
        raise ReposeError(
            f"holds no array {missing[0] if isinstance(content, dict) else names[0]!r}", path, HINT
        )
    return {name: _numbers(content[name], name, path) for name in names}


def _npz(data: bytes, names: Sequence[str]) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in names if name in arrays}


def _numbers(value: Any, name: str, path: Path) -> np.ndarray:
    try:
        if isinstance(value, _Chumpy):
            value = value.state["x"]
        if isinstance(value, _Sparse):
            parts = (np.asarray(value.state[key]) for key in ("data", "indices", "indptr"))
            value = csc_matrix(tuple(parts), shape=value.state["_shape"]).toarray()
    except (KeyError, TypeError, ValueError) as error:
        raise ReposeError(f"{name} cannot be taken from its object: {error!r}", path, HINT) from None
    if type(value) is not np.ndarray or value.dtype.kind not in "fiu":
        raise ReposeError(f"{name} is not an array of numbers", path, HINT)
    return value
