"""Load pickles of numpy arrays without letting them call anything else.

A pickle is a program. This loader knows the few names that rebuilding an array takes, and whatever else its caller
allows; any other name ends in an error before anything is called.
"""

import pickle
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np

_CORE: Any = np._core  # type: ignore[attr-defined]


def _latin1(text: str, encoding: str) -> bytes:
    """How protocol 2 writes the bytes of an array."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"text encoding {encoding!r}")
    return text.encode("latin1")


_ARRAYS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _CORE.multiarray._reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _CORE.multiarray._reconstruct,
    ("numpy.core.numeric", "_frombuffer"): _CORE.numeric._frombuffer,
    ("numpy._core.numeric", "_frombuffer"): _CORE.numeric._frombuffer,
    ("_codecs", "encode"): _latin1,
}


class ArrayUnpickler(pickle.Unpickler):
    """As fast as `pickle.Unpickler`.

    Args:
        file, options: as `pickle.Unpickler` takes them.
        also: what stands for further (module, name).

    Raises:
        pickle.UnpicklingError: the file asks for anything else. A damaged file can raise nearly any exception.
    """

    def __init__(
        self, file: BinaryIO, also: Mapping[tuple[str, str], Callable[..., Any]] | None = None, **options: Any
    ):
        super().__init__(file, **options)
        self._allowed = {**_ARRAYS, **(also or {})}

    def find_class(self, module: str, name: str) -> Any:
        """What stands for a name in the file."""
        if (module, name) not in self._allowed:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return self._allowed[module, name]

    def persistent_load(self, _pid: Any) -> Any:
        """Refuses."""
        raise pickle.UnpicklingError("it refers to objects outside the file")
