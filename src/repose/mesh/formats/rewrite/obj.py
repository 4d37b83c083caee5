"""OBJ with other positions: the three numbers of each `v` that moved, and of each `vn` that its corners use.

What stands behind the three, such as a colour, stays; so do comments, groups, materials, texture coordinates, and how
the lines are laid out.
"""

from __future__ import annotations

import re
from array import array

import numpy as np

from repose.mesh.formats import scan
from repose.mesh.formats.rewrite.normals import recomputed
from repose.mesh.formats.rewrite.splice import TOKEN, decimals, replaced
from repose.mesh.formats.rows import fans
from repose.mesh.mesh import Mesh

# A statement goes on after a backslash at the end of its line.
STATEMENT = re.compile(rb"(?m)^[ \t\r]*(vn|f)(?=[ \t\\])((?:\\\r?\n|[^\n#])*)")
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
        starts, normals, corners = _normals(data)
        found, new = recomputed(mesh, vertices, normals, corners)
        changes.append((starts[new], decimals(found[new], where)))
    return replaced(data, changes)


def _coordinates(data: bytes, count: int) -> np.ndarray:
    """(V, 3) where the numbers of the vertices start."""
    mark = len(data) - len(data.removeprefix(b"\xef\xbb\xbf"))
    text = np.frombuffer(data, np.uint8)[mark:]
    blanks = np.count_nonzero(text <= scan.SPACE)
    starts, faces = np.empty(blanks, np.int32), np.empty((blanks, 3), np.int32)
    scan.obj_statements(text, starts, faces)
    return starts[: 3 * count].reshape(-1, 3).astype(np.int64) + mark


def _normals(data: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the three numbers of each `vn` start (N, 3), the normals (N, 3), and which each corner has (F, 3).

    A corner without a normal, or with one that the file does not have, has -1; a normal that is none has no corners.
    """
    starts, values = array("q"), array("d")
    counts, corners = array("i"), array("q")
    broken = []
    for statement in STATEMENT.finditer(data):
        body = CONTINUED.sub(lambda mark: b" " * len(mark.group()), statement.group(2))
        if statement.group(1) == b"f":
            words = body.split()
            counts.append(len(words))
            corners.extend(_normal_of(word, len(starts) // 3) for word in words)
            continue
        words_at = [word.span() for word in TOKEN.finditer(body)][:3]
        try:
            numbers = [float(body[slice(*span)]) for span in words_at]
        except ValueError:
            numbers = []
        if len(numbers) < 3 or not np.isfinite(numbers).all():
            broken.append(len(starts) // 3)
            numbers, words_at = [0.0] * 3, [(0, 0)] * 3
        values.extend(numbers)
        starts.extend(statement.start(2) + first for first, _ in words_at)
    which = np.array(corners, np.int64)
    which[(which < 0) | (which >= len(starts) // 3) | np.isin(which, broken)] = -1
    shape = len(starts) // 3, 3
    return (
        np.array(starts).reshape(shape),
        np.array(values).reshape(shape),
        fans(np.array(counts, np.int32), which),
    )


def _normal_of(corner: bytes, so_far: int) -> int:
    """The number of a corner's normal, counted from 0; -1 if it has none."""
    parts = corner.split(b"/")
    if len(parts) < 3 or not parts[2]:
        return -1
    try:
        number = int(parts[2][:18])
    except ValueError:
        return -1
    return number - 1 if number > 0 else so_far + number
