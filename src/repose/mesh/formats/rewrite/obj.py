"""OBJ with other positions: the three numbers of each `v` that moved, and of each `vn` that its corners use.

What stands behind the three, such as a colour, stays; so do comments, groups, materials, texture coordinates, and how
the lines are laid out.
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

# A statement goes on after a backslash at the end of its line.
STATEMENT = rb"(?m)^[ \t\r]*(%s|f)(?=[ \t\\])((?:[^\n#\\]+|\\\r?\n|\\)*)"
CONTINUED = re.compile(rb"\\\r?\n")
NORMAL = re.compile(rb"(?m)^[ \t\r]*vn[ \t\\]")


def rewrite(data: bytes, mesh: Mesh, vertices: np.ndarray, where: object = None) -> bytes:
    """The content of an .obj file with other positions.

    Args:
        data: the content as it is.
        mesh: what `parse_obj` finds in it.
        vertices: (V, 3) its vertices from now on; those that did not move keep their text.
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
    """(V, 3) where the numbers of the vertices start."""
    if (plain := starts_of(data, count)) is not None:
        return plain
    from repose.mesh.formats import scan  # a second

    mark = len(data) - len(data.removeprefix(b"\xef\xbb\xbf"))
    text = np.frombuffer(data, np.uint8)[mark:]
    blanks = np.count_nonzero(text <= scan.SPACE)
    starts, faces = np.empty(blanks, np.int32), np.empty((blanks, 3), np.int32)
    scan.obj_statements(text, starts, faces)
    return starts[: 3 * count].reshape(-1, 3).astype(np.int64) + mark


def dressed(data: bytes, mesh: Mesh) -> Dressed:
    """The mesh of an .obj file with its colours and texture coordinates."""
    _, texture, corners = _table(data, b"vt", 2)
    colours = np.zeros((len(mesh.vertices), 3))
    for number, last in enumerate(_coordinates(data, len(mesh.vertices))[:, 2].tolist()):
        end = data.find(b"\n", last)
        words = data[last : end if end >= 0 else len(data)].partition(b"#")[0].split()
        if len(words) < 4:
            return Dressed(mesh, None, texture if len(texture) else None, corners)
        colours[number] = [float(word) for word in words[1:4]]
    return Dressed(mesh, colours, texture if len(texture) else None, corners)


def _table(data: bytes, keyword: bytes, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a keyword lists, `vn` or `vt`, and which of these corners of faces name.

    Returns:
        Where the `width` numbers of each start (N, width), the numbers (N, width), and which each corner has (F, 3). A
        corner that names none, or one that the file does not have, has -1; one that is malformed has no corners.
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
    """The number that stands in a slot of a corner, counted from 0; -1 if there is none, -2 for the last so far, …"""
    parts = corner.split(b"/")
    try:
        number = int(parts[slot][:18])
    except (ValueError, IndexError):
        return -1
    return number - 1
