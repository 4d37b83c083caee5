"""Read pickles of plain data and of numpy arrays without running them.

A pickle is a program for a machine that may import and call anything. This module is a smaller machine: it builds
numbers, strings, lists, tuples and dicts, recognises by name the few calls in numpy's own pickles of arrays, and calls
none of them. It rebuilds an array from a shape, a type of number and bytes that fit each other. Anything else in a file
is an error before anything is done.
"""

import codecs
import math
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from repose.errors import ReposeError
from repose.reading import read_bytes

MAX_BYTES = 4 << 30
# they take 20 s, and 2.5 GB if each makes a list; the largest released file has 18 million
MAX_STEPS = 24_000_000
HINT = "only numbers, strings, lists, tuples, dicts and arrays of numbers are read"
_MARK = object()
_KINDS = {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"}
_NDARRAY, _DTYPE = "numpy.ndarray", "numpy.dtype"
_RECONSTRUCT = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
_FROM_BUFFER = ("numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer")
_ENCODE = "_codecs.encode"
_ARRAYS = {_NDARRAY, _DTYPE, *_RECONSTRUCT, *_FROM_BUFFER, _ENCODE}
# protocols 0 and 1 begin an object with these
_NEW_OBJECT = {"copy_reg._reconstructor", "copyreg._reconstructor"}
_OBJECT = {"__builtin__.object", "builtins.object"}


class Record:
    """An object of a class that is not imported; only its state is kept."""

    state: Any = None


def read_pickle(
    path: Path, arrays: bool = True, records: Mapping[str, type[Record]] | None = None, limit: int = MAX_BYTES
) -> Any:
    """Return the content of a pickle; strings of Python 2 are decoded as latin-1.

    It takes at most 20 s, and 2.5 GB of memory besides twice the size of the file.

    Args:
        path: the file.
        arrays: whether it may hold arrays of numbers.
        records: classes by their dotted names whose objects become records of their state.
        limit: largest size of the file, in bytes.

    Raises:
        ReposeError: the file is missing, too large, damaged, or contains anything else.
    """
    return parse_pickle(read_bytes(path, limit), path, arrays, records)


def parse_pickle(
    data: bytes,
    where: object = "<bytes>",
    arrays: bool = True,
    records: Mapping[str, type[Record]] | None = None,
) -> Any:
    """Parse a pickle from bytes, as `read_pickle` does."""
    machine = _Machine(data, _ARRAYS if arrays else set(), records or {})
    try:
        return machine.run()
    except _Refused as error:
        raise ReposeError(f"refused: {error}", where, HINT) from None
    except MemoryError:
        raise ReposeError("not enough memory to read this pickle", where) from None
    except Exception:  # a damaged pickle can raise nearly any error
        raise ReposeError(
            "not a whole pickle of plain data", where, "the file is cut short or damaged"
        ) from None


class _Refused(Exception):
    pass


class _Name(NamedTuple):
    """A permitted name in a file; it cannot be called."""

    name: str


class _Kind:
    """A type of number, with its byte order."""

    def __init__(self, kind: str):
        self.kind, self.order = kind, "="


class _Bare:
    """An array that exists but has no content yet, and its places in the memo."""

    def __init__(self) -> None:
        self.keys: list[int] = []


class _Machine:
    def __init__(self, data: bytes, names: set[str], records: Mapping[str, type[Record]]):
        self.data, self.pos = data, 0
        self.known = names | (set(records) | _NEW_OBJECT | _OBJECT if records else set())
        self.records = records
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.encoded = 0  # bytes that were encoded as text

    def run(self) -> Any:
        """Run all steps, and return the single value that is left."""
        data, steps = self.data, 0
        while True:
            code = data[self.pos]
            if code == 0x2E:
                break
            step = _STEPS.get(code)
            if step is None:
                raise _Refused(f"it asks for opcode {bytes([code])!r}, which plain data do not need")
            self.pos += 1
            steps += 1
            if steps > MAX_STEPS:
                raise _Refused(f"it takes more than {MAX_STEPS} steps")
            step(self)
        (value,) = self.stack
        if value is _MARK:
            raise _Refused("it does not leave one value")
        return value

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        start, self.pos = self.pos, self.pos + size
        if size < 0 or self.pos > len(self.data):
            raise _Refused("it is cut short")
        return self.data[start : self.pos]

    def number(self, size: int) -> int:
        """Return the next unsigned integer."""
        return int.from_bytes(self.take(size), "little")

    def line(self) -> bytes:
        """Return the rest of the line."""
        end = self.data.index(b"\n", self.pos)
        start, self.pos = self.pos, end + 1
        return self.data[start:end]

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise _Refused("a value is missing")
        return value

    def top(self, kind: type) -> Any:
        if type(self.stack[-1]) is not kind:
            raise _Refused(f"it takes a {type(self.stack[-1]).__name__} for a {kind.__name__}")
        return self.stack[-1]

    def mark(self) -> None:
        self.marks.append(len(self.stack))
        self.stack.append(_MARK)

    def to_mark(self) -> list[Any]:
        """Return the values above the last mark."""
        at = self.marks.pop()
        values = self.stack[at + 1 :]
        del self.stack[at:]
        return values

    def remember(self, key: int) -> None:
        value = self.stack[-1]
        if value is _MARK or not 0 <= key < 1 << 32:
            raise _Refused("a value is missing, or its place")
        if type(value) is _Bare:
            value.keys.append(key)
        self.memo[key] = value

    def append(self, values: list[Any]) -> None:
        self.top(list).extend(values)

    def set_items(self, values: list[Any]) -> None:
        self.top(dict).update(_pairs(values))

    def name(self, module: Any, name: Any) -> None:
        dotted = f"{module}.{name}"[:200]
        if dotted not in self.known:
            raise _Refused(f"it asks for {dotted}")
        self.push(_Name(dotted))

    def call(self) -> None:
        """Replace the call of a known name by its representation."""
        arguments, called = self.pop(), self.pop()
        if type(arguments) is not tuple or type(called) is not _Name:
            raise _Refused("it calls what is no name")
        name = called.name
        if name == _DTYPE:
            self.push(_kind(arguments[0]))
        elif name in _RECONSTRUCT and arguments[0] == _Name(_NDARRAY):
            self.push(_Bare())
        elif name in _FROM_BUFFER and len(arguments) == 4:
            raw, kind, shape, order = arguments
            self.push(_array(shape, kind, order == "F", self.raw(raw)))
        elif name == _ENCODE and arguments[1] == "latin1":
            self.push(self.raw(arguments[0]))
        elif name in _NEW_OBJECT:
            self.new(arguments[0])
        else:
            raise _Refused(f"it calls {name} in another way than arrays need")

    def raw(self, value: Any) -> Any:
        """Return bytes, also if Python 2, or a protocol without bytes, wrote them as text."""
        if type(value) is not str:
            return value
        self.encoded += len(value)
        if self.encoded > len(self.data):  # otherwise one text of a megabyte could become gigabytes
            raise _Refused("it makes more bytes than it has")
        return value.encode("latin-1")

    def new(self, of: Any) -> None:
        if type(of) is not _Name or of.name not in self.records:
            raise _Refused("it builds an object of an unknown class")
        self.push(self.records[of.name]())

    def new_object(self) -> None:
        if self.pop() != ():
            raise _Refused("it builds an object from values")
        self.new(self.pop())

    def build(self) -> None:
        """Set the state of the object that waits for one."""
        state, built = self.pop(), self.pop()
        if type(built) is _Kind:
            built.order = _order(state)
        elif type(built) is _Bare:
            _, shape, kind, fortran, raw = state
            bare, built = built, _array(shape, kind, bool(fortran), self.raw(raw))
            self.memo.update(dict.fromkeys(bare.keys, built))
        elif isinstance(built, Record) and built.state is None:
            built.state = state
        else:
            raise _Refused(f"it sets the state of a {type(built).__name__}")
        self.push(built)


def _pairs(values: list[Any]) -> dict[Any, Any]:
    keys = values[::2]
    # Hashing nested tuples, or many numbers that are equal modulo 2^61 - 1, can take extremely long.
    if len(values) % 2 or not all(isinstance(key, (str, int, float, bytes, type(None))) for key in keys):
        raise _Refused("a key is no text or number, or has no value")
    if any(isinstance(key, int) and key.bit_length() > 64 for key in keys):
        raise _Refused("a key is a number of more than 64 bits")
    return dict(zip(keys, values[1::2], strict=True))


def _kind(name: Any) -> _Kind:
    kind = name.lstrip("<>=|") if isinstance(name, str) else None
    if kind not in _KINDS:
        raise _Refused("it holds an array of other things than numbers")
    return _Kind(kind)


def _order(state: Any) -> str:
    """Return the byte order in the state of a numpy dtype without fields."""
    _, order, *parts = state
    if order not in ("<", ">", "=", "|") or any(part is not None for part in parts[:3]):
        raise _Refused("it holds an array of other things than numbers")
    return order


def _array(shape: Any, kind: Any, fortran: bool, raw: Any) -> np.ndarray:
    if type(kind) is not _Kind or type(shape) is not tuple or type(raw) is not bytes or len(shape) > 8:
        raise _Refused("it builds an array from other things than a shape, a type and bytes")
    if not all(type(n) is int and n >= 0 for n in shape):
        raise _Refused("it holds an array without a shape")
    dtype = np.dtype(kind.order + kind.kind)
    if math.prod(shape) * dtype.itemsize != len(raw):
        raise _Refused(f"an array of {len(raw)} bytes is said to have the shape {shape}"[:120])
    return np.ndarray(shape, dtype, raw, order="F" if fortran else "C")


def _whole(m: _Machine) -> None:
    text = m.line().removesuffix(b"L")
    m.push({b"00": False, b"01": True}[text] if text in (b"00", b"01") else int(text))


def _quoted(m: _Machine) -> None:
    text = m.line().strip()
    if len(text) < 2 or text[:1] not in (b"'", b'"') or text[-1:] != text[:1]:
        raise _Refused("a string has no quotes")
    m.push(codecs.escape_decode(text[1:-1])[0].decode("latin-1"))


def _text(size: int, encoding: str) -> Callable[[_Machine], None]:
    errors = "surrogatepass" if encoding == "utf-8" else "strict"
    return lambda m: m.push(m.take(m.number(size)).decode(encoding, errors))


def _raw(size: int) -> Callable[[_Machine], None]:
    return lambda m: m.push(m.take(m.number(size)))


def _tuple(size: int) -> Callable[[_Machine], None]:
    return lambda m: m.push(tuple([m.pop() for _ in range(size)][::-1]))


_STEPS: dict[int, Callable[[_Machine], Any]] = {
    code[0]: step
    for code, step in {
        b"\x80": lambda m: m.take(1), b"\x95": lambda m: m.take(8),
        b"N": lambda m: m.push(None), b"\x88": lambda m: m.push(True), b"\x89": lambda m: m.push(False),
        b"I": _whole, b"L": _whole, b"K": lambda m: m.push(m.number(1)), b"M": lambda m: m.push(m.number(2)),
        b"J": lambda m: m.push(int.from_bytes(m.take(4), "little", signed=True)),
        b"\x8a": lambda m: m.push(int.from_bytes(m.take(m.number(1)), "little", signed=True)),
        b"F": lambda m: m.push(float(m.line())), b"G": lambda m: m.push(struct.unpack(">d", m.take(8))[0]),
        b"S": _quoted, b"T": _text(4, "latin-1"), b"U": _text(1, "latin-1"),
        b"V": lambda m: m.push(m.line().decode("raw-unicode-escape")),
        b"X": _text(4, "utf-8"), b"\x8c": _text(1, "utf-8"), b"\x8d": _text(8, "utf-8"),
        b"B": _raw(4), b"C": _raw(1), b"\x8e": _raw(8), b"\x96": _raw(8),
        b"]": lambda m: m.push([]), b"}": lambda m: m.push({}), b")": lambda m: m.push(()), b"(": _Machine.mark,
        b"a": lambda m: m.append([m.pop()]), b"e": lambda m: m.append(m.to_mark()),
        b"s": lambda m: m.set_items([m.pop(), m.pop()][::-1]), b"u": lambda m: m.set_items(m.to_mark()),
        b"l": lambda m: m.push(m.to_mark()), b"d": lambda m: m.push(_pairs(m.to_mark())),
        b"t": lambda m: m.push(tuple(m.to_mark())),
        b"\x85": _tuple(1), b"\x86": _tuple(2), b"\x87": _tuple(3),
        b"p": lambda m: m.remember(int(m.line())), b"q": lambda m: m.remember(m.number(1)),
        b"r": lambda m: m.remember(m.number(4)), b"\x94": lambda m: m.remember(len(m.memo)),
        b"g": lambda m: m.push(m.memo[int(m.line())]), b"h": lambda m: m.push(m.memo[m.number(1)]),
        b"j": lambda m: m.push(m.memo[m.number(4)]),
        b"c": lambda m: m.name(m.line().decode("latin-1"), m.line().decode("latin-1")),
        b"\x93": lambda m: m.name(*[m.pop(), m.pop()][::-1]),
        b"R": _Machine.call, b"\x81": _Machine.new_object, b"b": _Machine.build,
    }.items()
}  # fmt: skip
