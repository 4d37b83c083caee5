"""Read pickles of plain data that hold arrays of whole numbers too, as NumPy wrote them under Python 2.

Nothing that such a pickle names is imported or called: the three names that an array needs stand for themselves, and
its numbers are read from its bytes. The attribute labels of Intrinsic Flow are such a file.
"""

from pathlib import Path
from typing import Any

import numpy as np

from repose.raw.plain_pickle import Machine, Refused, read_plain_pickle

_MAKE, _ARRAY, _DTYPE = _NAMES = ("numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype")
_CODES = {"i1", "i2", "i4", "i8", "u1"}
_ORDERS = {"<", ">", "|"}


def read_array_pickle(path: Path) -> Any:
    """As `read_plain_pickle`, with rows of whole numbers as lists.

    Raises:
        ReposeError: the file is missing, too large, damaged, or asks for anything else.
    """
    return read_plain_pickle(path, _ArrayMachine())


class _Row(list):
    """The numbers of an array; empty until its bytes come."""


class _Type:
    def __init__(self, code: str) -> None:
        self.code, self.order = code, ""


class _ArrayMachine(Machine):
    def collect(self, name: str, argument: Any) -> None:
        """An opcode of plain data, or one that makes an array."""
        if name == "GLOBAL" and argument in _NAMES:
            self.stack.append(argument)
        elif name == "REDUCE":
            values, maker = self.pop(), self.pop()
            if maker == _MAKE and values == (_ARRAY, (0,), "b"):
                self.stack.append(_Row())
            elif maker == _DTYPE and values[0] in _CODES:
                self.stack.append(_Type(values[0]))
            else:
                raise Refused("it makes something else than rows of whole numbers")
        elif name == "BUILD":
            _fill(state=self.pop(), target=self.top())
        else:
            super().collect(name, argument)


def _fill(target: Any, state: Any) -> None:
    if type(target) is _Type and state[1] in _ORDERS:
        target.order = state[1]
    elif type(target) is _Row and not target and type(state[2]) is _Type:
        _, shape, kind, _, raw = state
        numbers = np.frombuffer(raw.encode("latin-1"), kind.order + kind.code)
        if shape != numbers.shape:
            raise Refused(f"an array of shape {shape} has {numbers.size} numbers")
        target.extend(numbers.tolist())
    else:
        raise Refused("it builds something else than rows of whole numbers")
