"""Read pickles that hold plain data, without running them.

A pickle is a program for a machine that may import and call anything. This is another machine, which knows the
opcodes that make numbers, strings, lists, tuples and dicts, and none of those that import, call or build. The label
files of Intrinsic Flow (Python 2, protocol 2) need no more.
"""

import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from repose.errors import ReposeError

MAX_BYTES = 512 << 20
HINT = "only numbers, strings, lists, tuples and dicts are read"
_MARK = object()
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_NEW: dict[str, Callable[[], Any]] = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple}
_NUMBERS = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
_TEXTS = {"UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
# Python 2 strings; pickletools decodes all but the first as latin-1.
_TEXTS |= {"STRING", "BINSTRING", "SHORT_BINSTRING"}
_PUT = {"PUT", "BINPUT", "LONG_BINPUT"}
_GET = {"GET", "BINGET", "LONG_BINGET"}


def read_plain_pickle(path: Path) -> Any:
    """The content of a pickle of plain data; Python 2 strings become text by latin-1.

    Raises:
        ReposeError: the file is missing, too large, damaged, or asks for anything but plain data.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ReposeError(f"more than {MAX_BYTES} bytes", path, HINT)
        data = path.read_bytes()
    except OSError as error:
        raise ReposeError(f"cannot read: {error.strerror}", path) from None
    return parse_plain_pickle(data, path)


def parse_plain_pickle(data: bytes, where: object = "<bytes>") -> Any:
    """As `read_plain_pickle`, from bytes."""
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name == "STOP":
                return machine.result()
            machine.step(opcode.name, argument)
    except _Refused as error:
        raise ReposeError(f"refused: {error}", where, HINT) from None
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise ReposeError(f"not a pickle of plain data: {error}", where, HINT) from error
    raise ReposeError("the pickle has no end", where, "the file is cut short")


class _Refused(Exception):
    pass


class _Machine:
    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def result(self) -> Any:
        if len(self.stack) != 1 or self.stack[0] is _MARK:
            raise _Refused("it does not leave one value")
        return self.stack[0]

    def step(self, name: str, argument: Any) -> None:
        """One opcode."""
        if name in _NUMBERS or name in _TEXTS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _NEW:
            self.stack.append(_NEW[name]())
        elif name in _PUT or name == "MEMOIZE":
            self.memo[len(self.memo) if name == "MEMOIZE" else argument] = self._top()
        elif name in _GET:
            self.stack.append(self.memo[argument])
        elif name == "MARK":
            self.stack.append(_MARK)
        elif name not in ("PROTO", "FRAME"):
            self._collect(name)

    def _collect(self, name: str) -> None:
        match name:
            case "APPEND":
                value = self._pop()
                self._list().append(value)
            case "APPENDS":
                values = self._to_mark()
                self._list().extend(values)
            case "SETITEM":
                value, key = self._pop(), self._pop()
                self._dict()[key] = value
            case "SETITEMS":
                values = self._to_mark()
                self._dict().update(_pairs(values))
            case "LIST":
                self.stack.append(self._to_mark())
            case "DICT":
                self.stack.append(_pairs(self._to_mark()))
            case "TUPLE":
                self.stack.append(tuple(self._to_mark()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                values = [self._pop() for _ in range(int(name[-1]))]
                self.stack.append(tuple(reversed(values)))
            case _:
                raise _Refused(f"it asks for {name}, which plain data do not need")

    def _top(self) -> Any:
        if self.stack[-1] is _MARK:
            raise _Refused("a value is missing")
        return self.stack[-1]

    def _pop(self) -> Any:
        self._top()
        return self.stack.pop()

    def _to_mark(self) -> list[Any]:
        at = len(self.stack) - 1 - self.stack[::-1].index(_MARK)
        values = self.stack[at + 1 :]
        del self.stack[at:]
        return values

    def _list(self) -> list[Any]:
        if type(self._top()) is not list:
            raise _Refused("it appends to what is no list")
        return self.stack[-1]

    def _dict(self) -> dict[Any, Any]:
        if type(self._top()) is not dict:
            raise _Refused("it sets an item of what is no dict")
        return self.stack[-1]


def _pairs(values: list[Any]) -> dict[Any, Any]:
    if len(values) % 2:
        raise _Refused("a key has no value")
    return dict(zip(values[::2], values[1::2], strict=True))
