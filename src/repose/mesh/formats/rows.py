"""Tables of numbers in text: the bodies of ASCII PLY and OFF files."""

from __future__ import annotations

import numpy as np

from repose.errors import MeshError
from repose.mesh.formats import scan, text

HINT = "the file is truncated or damaged"
MESSAGES = {
    scan.FEW: "the row ends too early",
    scan.MANY: "the row, or the file, goes on with {token!r}",
    scan.INDEX: "{token!r} is not a whole number",
    scan.RANGE: "a face names vertex {token}, which is out of range",
    scan.CORNERS: "a face has {token} corners",
    scan.ENDED: "the file ends before its last row",
}


class RowReader:
    """Walks the rows of a text, one block after the other. Blank lines are skipped.

    Args:
        data: the file's content.
        pos: where the first row starts.
        where: the file, for errors.
        comments: whether `#` starts a comment.
        extra: whether a row may go on after the fields that are wanted.
    """

    def __init__(self, data: bytes, pos: int, where: object, comments: bool = False, extra: bool = False):
        self.data, self.buf, self.where, self.pos = data, np.frombuffer(data, np.uint8), where, pos
        self.comments, self.extra = comments, extra

    def reals(self, rows: int, columns: int) -> np.ndarray:
        """Read (rows, columns) float64, each as `float` reads it."""
        self._check_room(rows, 2 * columns)
        starts = np.empty((rows, columns), np.int32)
        code, self.pos = scan.real_rows(self.buf, self.pos, starts, self.extra, self.comments)
        self._check(code)
        return text.read_reals(self.data, starts.reshape(-1), self.where).reshape(rows, columns)

    def faces(self, rows: int, kinds: list[int], n_vertices: int) -> np.ndarray:
        """Read `rows` polygons as (F, 3) int32; `kinds` says what each field of a row is."""
        self._check_room(rows, 8)
        faces = np.empty(((self.buf.size - self.pos) // 2 + 1, 3), np.int32)
        code, self.pos, n_faces = scan.face_rows(
            self.buf, self.pos, rows, np.array(kinds), n_vertices, faces, self.extra, self.comments
        )
        self._check(code)
        return faces[:n_faces].copy()

    def skip(self, rows: int) -> None:
        """Go past rows that are not wanted."""
        self._check_room(rows, 2)
        starts = np.empty((rows, 0), np.int32)
        code, self.pos = scan.real_rows(self.buf, self.pos, starts, True, self.comments)
        self._check(code)

    def finish(self) -> None:
        """Refuse anything but blank lines after the last row."""
        self.pos = scan.next_row(self.buf, self.pos, self.comments)
        self._check(scan.OK if self.pos >= self.buf.size else scan.MANY)

    def _check_room(self, rows: int, row_bytes: int) -> None:
        # Before anything is allocated: a header may promise more rows than the file can hold.
        if rows * row_bytes > self.buf.size - self.pos + 1:
            raise MeshError(f"{rows} rows are announced, and do not fit in the file", self.where, HINT)

    def _check(self, code: int) -> None:
        if code != scan.OK:
            what = MESSAGES[code].format(token=text.token_at(self.data, self.pos))
            raise MeshError(what, f"{self.where}:{text.line_of(self.data, self.pos)}", HINT)
