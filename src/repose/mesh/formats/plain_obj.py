"""A reader of OBJ files as most programs write them, without the compiled scanner, which takes a second to load.

Any other file is left to `repose.mesh.formats.obj`, which reads the whole format and reports errors in a file. Both
readers return the same mesh for the files that this one accepts.
"""

from __future__ import annotations

import re

import numpy as np

from repose.mesh.formats.rows import fans
from repose.mesh.mesh import Mesh

MOST = 32 << 20  # bytes; for a larger file the scanner is faster, including its loading
LONGEST = 512  # most bytes of a number
SKIPPED = frozenset((b"vt", b"vn", b"g", b"o", b"s", b"usemtl", b"mtllib", b"l", b"p"))
CORNERS = re.compile(rb"(?:\d{1,9}(?:/[-+]?\d*){0,2} )+")
VERTEX = re.compile(rb"(?m)^[ \t\r]*v[ \t\r]+([^\s#]+)[ \t\r]+([^\s#]+)[ \t\r]+([^\s#]+)")


def read_plain(data: bytes) -> Mesh | None:
    """Return the mesh in the content of an .obj file; None if the file is not plain."""
    if not _is_plain(data):
        return None
    numbers: list[bytes] = []
    corners: list[bytes] = []
    counts: list[int] = []
    widths: set[int] = set()
    marks = 0
    for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        words = line.split()
        if not words:
            continue
        key = words[0]
        if key == b"v":
            numbers += words[1:4]
            widths.add(len(words) - 1)
        elif key == b"f":
            corners += words[1:]
            counts.append(len(words) - 1)
        elif key[:1] == b"#":
            marks += line.count(b"#")
        elif key not in SKIPPED:
            return None
    if (
        marks != data.count(b"#")
        or len(widths) != 1
        or not widths <= {3, 4, 6, 7}
        or min(counts, default=0) < 3
    ):
        return None
    vertices, named = _reals(numbers), _indices(corners)
    if vertices is None or named is None or named.min() < 0 or named.max() >= len(vertices):
        return None
    faces = fans(np.array(counts, np.int32), named) if max(counts) > 3 else named.reshape(-1, 3)
    return Mesh(vertices, faces)


def starts_of(data: bytes, count: int) -> np.ndarray | None:
    """Return where the numbers (V, 3) of the file's vertices start; None if it is not plain."""
    if not _is_plain(data):
        return None
    mark = len(data) - len(data.removeprefix(b"\xef\xbb\xbf"))
    found = [[m.start(k) for k in (1, 2, 3)] for m in VERTEX.finditer(data[mark:])]
    return np.array(found, np.int64).reshape(-1, 3) + mark if len(found) == count else None


def _is_plain(data: bytes) -> bool:
    """Return whether lines are statements and only blanks separate words."""
    return len(data) <= MOST and not any(sign in data for sign in (b"\\", b"\v", b"\f", b"\0"))


def _reals(words: list[bytes]) -> np.ndarray | None:
    """Return the numbers (V, 3); None if one is malformed or not finite."""
    if b"".join(words).translate(None, b"0123456789+-.eE") or max(map(len, words)) > LONGEST:
        return None
    try:
        values = np.array(list(map(float, words)))
    except ValueError:
        return None
    return values.reshape(-1, 3) if np.isfinite(values).all() else None


def _indices(words: list[bytes]) -> np.ndarray | None:
    """Return the vertices of corners (N,), counted from 0; None if one is malformed or counts from the end."""
    text = b" ".join(words) + b" "
    if not CORNERS.fullmatch(text):
        return None
    if b"/" in text:
        words = [word.partition(b"/")[0] for word in words]
    return np.array(list(map(int, words)), np.int64) - 1
