"""Rewrite OBJ with other positions: the numbers of each `v` that moved, and of each `vn` that its corners use.

Anything after these numbers, such as a colour, stays, and so do comments, groups, materials, texture coordinates, and
the layout of the lines.
"""

from __future__ import annotations

import re
from array import array
from math import isfinite

import numpy as np

from repose.mesh.formats.dressed import Dressed
from repose.mesh.formats.plain_obj import starts_of
from repose.mesh.formats.rewrite.normals import recomputed
from repose.mesh.formats.rewrite.splice import TOKEN, decimals, replaced
from repose.mesh.formats.rows import fans
from repose.mesh.mesh import Mesh

# A backslash at the end of a line continues the statement.
STATEMENT = rb"(?m)^[ \t\r]*(%s|f)(?=[ \t\\])((?:[^\n#\\]+|\\\r?\n|\\)*)"
CONTINUED = re.compile(rb"\\\r?\n")
NORMAL = re.compile(rb"(?m)^[ \t\r]*vn[ \t\\]")


def rewrite(data: bytes, mesh: Mesh, vertices: np.ndarray, where: object = None) -> bytes:
    """Return the content of an .obj file with other positions.

    Args:
        data: the present content.
        mesh: the mesh that `parse_obj` returns for it.
        vertices: (V, 3) the new positions; vertices that did not move keep their text.
        where: the file, for errors.

    Raises:
        MeshError: a coordinate does not fit in float32.
    """
    moved = (vertices != mesh.vertices).any(axis=1)
    changes = [(_coordinates(data, len(mesh.vertices))[moved], decimals(vertices[moved], where))]
    if NORMAL.search(data):
        starts, normals, corners = _table(data, b"vn", 3)
        found, new = recomputed(mesh, vertices, normals, corners)
        changes.append((starts[new], decimals(found[new], where)))
    return replaced(data, changes)


def _coordinates(data: bytes, count: int) -> np.ndarray:
    """Return where the numbers (V, 3) of the vertices start."""
    if (plain := starts_of(data, count)) is not None:
        return plain
    from repose.mesh.formats import scan  # takes a second to load

    mark = len(data) - len(data.removeprefix(b"\xef\xbb\xbf"))
    text = np.frombuffer(data, np.uint8)[mark:]
    blanks = np.count_nonzero(text <= scan.SPACE)
    starts, faces = np.empty(blanks, np.int32), np.empty((blanks, 3), np.int32)
    scan.obj_statements(text, starts, faces)
    return starts[: 3 * count].reshape(-1, 3).astype(np.int64) + mark


def dressed(data: bytes, mesh: Mesh) -> Dressed:
    """Return the mesh of an .obj file with its colours and texture coordinates."""
    _, texture, corners = _table(data, b"vt", 2)
    rows: list[list[float]] = []
    for last in _coordinates(data, len(mesh.vertices))[:, 2].tolist():
        end = data.find(b"\n", last)
        words = data[last : end if end >= 0 else len(data)].partition(b"#")[0].split()
        if len(words) < 4:
            return Dressed(mesh, None, texture if len(texture) else None, corners)
        rows.append([float(word) for word in words[1:5]])
    colours = np.array(rows)
    if colours.max() > 1 and not (colours % 1).any():  # some programs write bytes
        colours /= 255
    return Dressed(mesh, colours, texture if len(texture) else None, corners)


def _table(data: bytes, keyword: bytes, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the numbers that a keyword lists, `vn` or `vt`, and which of them each corner of a face uses.

    Returns:
        The positions of the numbers (N, width), the numbers (N, width), and the row that each corner uses (F, 3). It is
            -1 for a corner that names no row, or a row that the file does not have; if a corner is malformed, there are
            no corners.
    """
    starts, values = array("q"), array("d")
    counts, corners = array("i"), array("q")
    known: dict[bytes, int] = {}
    slot = 2 if keyword == b"vn" else 1
    broken = []
    for statement in re.finditer(STATEMENT % keyword, data):
        body = statement.group(2)
        if b"\\" in body:
            body = CONTINUED.sub(lambda mark: b" " * len(mark.group()), body)
        if statement.group(1) == b"f":
            words = body.split()
            counts.append(len(words))
            for word in words:
                if (number := known.get(word)) is None:
                    number = known[word] = _named(word, slot)
                corners.append(number if number >= -1 else len(starts) // width + number + 1)
            continue
        places = [word.span() for word in TOKEN.finditer(body)][:width]
        try:
            numbers = [float(body[slice(*place)]) for place in places]
        except ValueError:
            numbers = []
        if len(numbers) < width or not all(map(isfinite, numbers)):
            broken.append(len(starts) // width)
            numbers, places = [0.0] * width, [(0, 0)] * width
        values.extend(numbers)
        starts.extend(statement.start(2) + first for first, _ in places)
    which = np.array(corners, np.int64)
    which[(which < 0) | (which >= len(starts) // width) | np.isin(which, broken)] = -1
    shape = len(starts) // width, width
    return (
        np.array(starts, np.int64).reshape(shape),
        np.array(values).reshape(shape),
        fans(np.array(counts, np.int32), which),
    )


def _named(corner: bytes, slot: int) -> int:
    """Return the number in a slot of a corner, counted from 0; -1 if there is none, -2 for the last row so far, …"""
    parts = corner.split(b"/")
    try:
        number = int(parts[slot][:18])
    except (ValueError, IndexError):
        return -1
    return number - 1
