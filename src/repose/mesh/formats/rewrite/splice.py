"""Replace numbers in a text."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from repose.errors import MeshError

TOKEN = re.compile(rb"[^\s#]+")
WORD = re.compile(rb"\S+")


def replaced(data: bytes, changes: Sequence[tuple[np.ndarray, list[bytes]]]) -> bytes:
    """Return the text with the words at some positions replaced; everything else stays equal byte for byte.

    Args:
        data: the text.
        changes: positions where words start, integers of any shape, and the replacement of each.
    """
    starts = np.concatenate([places.ravel() for places, _ in changes])
    texts = [text for _, new in changes for text in new]
    parts, last = [], 0
    for k in np.argsort(starts, kind="stable").tolist():
        start = int(starts[k])
        word = TOKEN.match(data, start)
        parts += [data[last:start], texts[k]]
        last = word.end() if word else start
    return b"".join([*parts, data[last:]])


def numbers_at(data: bytes, starts: np.ndarray) -> np.ndarray:
    """Return the numbers (N, 3) that start at some positions; a row is zero if one of its numbers is malformed."""
    found = np.zeros(starts.shape)
    for place, start in np.ndenumerate(starts):
        word = TOKEN.match(data, start, start + 64)
        try:
            found[place] = float(word.group()) if word else np.nan
        except ValueError:
            found[place] = np.nan
    found[~np.isfinite(found).all(axis=1)] = 0
    return found


def rows_at(
    data: bytes, pos: int, skip: int, count: int, columns: Sequence[int], hash_ends: bool
) -> np.ndarray:
    """Return where words of the rows of a text start, (count, columns); blank lines are not rows.

    Args:
        data: the text.
        pos: position where the first row starts.
        skip: number of rows to skip.
        count: number of rows to read.
        columns: which words of a row to return.
        hash_ends: whether `#` starts a comment.
    """
    found = array("q")
    rows = 0
    while rows < skip + count and pos < len(data):
        end = data.find(b"\n", pos) + 1 or len(data)
        comment = data.find(b"#", pos, end) if hash_ends else -1
        starts = [word.start() for word in WORD.finditer(data, pos, end if comment < 0 else comment)]
        if starts:
            rows += 1
            if rows > skip:
                found.extend(starts[column] for column in columns)
        pos = end
    return np.array(found, np.int64).reshape(-1, len(columns))


def decimals(values: np.ndarray, where: object = None, dtype: str = "f4") -> list[bytes]:
    """Return the shortest decimals that read back as the values in float32, or another type.

    Raises:
        MeshError: a number is not finite, or too large for the type.
    """
    found = np.ascontiguousarray(fitted(values, where, dtype)).ravel()
    # Through its memory, because `pyarrow.array` would load pandas, which takes more than a second.
    numbers = pa.Array.from_buffers(pa.from_numpy_dtype(found.dtype), len(found), [None, pa.py_buffer(found)])
    texts = numbers.cast(pa.string())
    return [text.encode() for text in texts.to_pylist()]


def fitted(values: np.ndarray, where: object = None, dtype: str = "f4") -> np.ndarray:
    """Return the values as float32, or another type; raises as `decimals`."""
    with np.errstate(over="ignore"):
        found = values.astype(dtype)
    if not np.isfinite(found).all():
        raise MeshError("a coordinate is not finite, or too large for its type", where, "are these metres?")
    return found
