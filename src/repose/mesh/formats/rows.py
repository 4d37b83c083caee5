"""The common part of the PLY and OFF readers: rows of numbers in text, and polygons that become fans of triangles."""

from __future__ import annotations

import io
import math
from array import array
from collections.abc import Sequence

import numpy as np

from repose.errors import MeshError

HINT = "the file is truncated or damaged"
MAX_ROW = 1 << 20  # bytes of a line; each takes 60 bytes of tokens in memory
MAX_CORNERS = 1 << 25  # corners of all polygons: 800 times those of a full-size body, 1.5 GB in memory
SCALAR, LIST, CORNERS = range(3)  # the kinds of fields in a row of faces


class Rows:
    """The rows of a text, one per line, which are read in order; blank lines are skipped.

    Args:
        data: the content of the file.
        pos: position where the first row starts.
        where: the file, for errors.
        comments: whether `#` starts a comment.
        extra: whether a row may continue after the needed fields.
    """

    def __init__(self, data: bytes, pos: int, where: object, comments: bool = False, extra: bool = False):
        self.where, self.comments, self.extra = where, comments, extra
        self.line = data.count(b"\n", 0, pos)
        self.file = io.BytesIO(data)
        self.file.seek(pos)

    def reals(self, rows: int, columns: Sequence[int], width: int) -> np.ndarray:
        """Return (rows, columns) float64, each as `float` reads it, of rows with `width` fields."""
        found = array("d")
        for _ in range(rows):
            tokens = self._row()
            self._check_width(tokens, width)
            for column in columns:
                try:
                    value = float(tokens[column])
                except ValueError:
                    value = math.nan
                if not math.isfinite(value):
                    raise self._bad(f"{shown(tokens[column])} is not a finite number")
                found.append(value)
        return np.array(found).reshape(-1, len(columns))

    def faces(self, rows: int, kinds: Sequence[int], vertices: int) -> np.ndarray:
        """Return the fans (F, 3) int32 of `rows` polygons; `kinds` gives the kind of each field of a row."""
        counts, corners = array("i"), array("i")
        for _ in range(rows):
            tokens, at = self._row(), 0
            for kind in kinds:
                size = 1
                if kind != SCALAR:
                    size, at = self._whole(tokens, at), at + 1
                    if size < (3 if kind == CORNERS else 0):
                        raise self._bad(f"a face has {size} corners")
                if kind == CORNERS:
                    polygon = [self._whole(tokens, k) for k in range(at, min(at + size, len(tokens) + 1))]
                    if bad := [corner for corner in polygon if not 0 <= corner < vertices]:
                        raise self._bad(f"a face names vertex {bad[0]}, which is out of range")
                    counts.append(size)
                    corners.extend(polygon)
                at += size
            self._check_width(tokens, at)
            check_corners(len(corners), self.where)
        return fans(np.array(counts, np.int32), np.array(corners, np.int32))

    def skip(self, rows: int) -> None:
        """Skip rows."""
        for _ in range(rows):
            self._row()

    def finish(self) -> None:
        """Refuse anything but blank lines after the last row."""
        if tokens := self._next():
            raise self._bad(f"the file goes on with {shown(tokens[0])}")

    def _row(self) -> list[bytes]:
        tokens = self._next()
        if not tokens:
            raise self._bad("the file ends before its last row")
        return tokens

    def _next(self) -> list[bytes]:
        """Return the tokens of the next row; an empty list at the end of the file."""
        while line := self.file.readline(MAX_ROW + 1):
            self.line += 1
            if len(line) > MAX_ROW:
                raise self._bad(f"a row of more than {MAX_ROW} bytes")
            text = line.partition(b"#")[0] if self.comments else line
            if b"_" in text:  # Python alone allows it in a number
                raise self._bad(f"{shown(next(t for t in text.split() if b'_' in t))} is not a number")
            if tokens := text.split():
                return tokens
        return []

    def _whole(self, tokens: list[bytes], at: int) -> int:
        self._check_width(tokens, at + 1, whole=False)
        try:
            return int(tokens[at][:30])
        except ValueError:
            raise self._bad(f"{shown(tokens[at])} is not a whole number") from None

    def _check_width(self, tokens: list[bytes], width: int, whole: bool = True) -> None:
        if len(tokens) < width:
            raise self._bad("the row ends too early")
        if whole and len(tokens) > width and not self.extra:
            raise self._bad(f"the row goes on with {shown(tokens[width])}")

    def _bad(self, what: str) -> MeshError:
        return MeshError(what, f"{self.where}:{self.line}", HINT)


def fans(counts: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return the triangles (0, 1, 2), (0, 2, 3), … of each polygon, in order.

    Args:
        counts: (P,) int32, corners of each polygon, 3 or more.
        corners: (sum of `counts`,) int32.

    Returns:
        (F, 3) int32.
    """
    triangles = counts - 2
    first = np.repeat(np.cumsum(counts, dtype=np.int32) - counts, triangles)
    before = np.repeat(np.cumsum(triangles, dtype=np.int32) - triangles, triangles)
    second = first + np.arange(len(first), dtype=np.int32) - before + 1
    return np.stack([corners[first], corners[second], corners[second + 1]], axis=1)


def shown(token: bytes) -> str:
    """Return a token in quotes, shortened for a message."""
    return repr(token[:40].decode("utf-8", "replace"))


def check_corners(count: int, where: object) -> None:
    """Refuse more corners than the readers accept."""
    if count > MAX_CORNERS:
        raise MeshError(f"its faces have more than {MAX_CORNERS} corners", where, "simplify the mesh")
