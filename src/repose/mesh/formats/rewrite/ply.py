"""PLY with other positions: x, y, z of each vertex that moved, and nx, ny, nz if it has them.

Header, comments, other properties and elements, faces and whatever else there is stay, byte for byte.
"""

from __future__ import annotations

import numpy as np

from repose.errors import MeshError
from repose.mesh.formats.ply import Element, parse_header, row_type, walk
from repose.mesh.formats.rewrite.normals import recomputed
from repose.mesh.formats.rewrite.splice import decimals, fitted, numbers_at, replaced, rows_at
from repose.mesh.mesh import Mesh

NORMALS = "nx", "ny", "nz"


def rewrite(data: bytes, mesh: Mesh, vertices: np.ndarray, where: object = None) -> bytes:
    """The content of a .ply file with other positions; arguments as of `repose.mesh.formats.rewrite.obj.rewrite`.

    Raises:
        MeshError: the file stores positions as whole numbers, or a coordinate does not fit in its type.
    """
    order, elements, pos = parse_header(data, where)
    at = next(k for k, element in enumerate(elements) if element.name == "vertex")
    change = _in_binary if order else _in_text
    return change(data, pos, order, elements[:at], elements[at], mesh, vertices, where)


def _in_text(
    data: bytes,
    pos: int,
    order: str,
    before: list[Element],
    element: Element,
    mesh: Mesh,
    vertices: np.ndarray,
    where: object,
) -> bytes:
    axes, kind = _columns(element, "xyz"), _kind(element, where)
    skip = sum(earlier.count for earlier in before)
    starts = rows_at(data, pos, skip, element.count, range(len(element.properties)), hash_ends=False)
    moved = (vertices != mesh.vertices).any(axis=1)
    changes = [(starts[moved][:, axes], decimals(vertices[moved], where, kind))]
    if normal := _normal_columns(element):
        found, new = recomputed(mesh, vertices, numbers_at(data, starts[:, normal]))
        changes.append((starts[new][:, normal], decimals(found[new], where)))
    return replaced(data, changes)


def _in_binary(
    data: bytes,
    pos: int,
    order: str,
    before: list[Element],
    element: Element,
    mesh: Mesh,
    vertices: np.ndarray,
    where: object,
) -> bytes:
    axes, kind = _columns(element, "xyz"), _kind(element, where)
    for earlier in before:
        _, _, pos = walk(data, pos, order, earlier, -1, where)
    content = bytearray(data)
    table = np.ndarray(element.count, row_type(element, order), content, pos)
    moved = (vertices != mesh.vertices).any(axis=1)
    columns = [(axis, moved, fitted(vertices, where, kind)[:, k]) for k, axis in enumerate(axes)]
    if normal := _normal_columns(element):
        old = np.stack([table[f"f{column}"] for column in normal], axis=1).astype(np.float64)
        found, new = recomputed(mesh, vertices, old)
        columns += [(column, new, found[:, k]) for k, column in enumerate(normal)]
    for column, rows, values in columns:
        table[f"f{column}"][rows] = values[rows]
    return bytes(content)


def _columns(element: Element, names: str | tuple[str, ...]) -> list[int]:
    found = [p.name for p in element.properties]
    return [found.index(name) for name in names]


def _normal_columns(element: Element) -> list[int]:
    """Where the normals are; empty if there are none, or not as real numbers."""
    real = [p.name for p in element.properties if p.dtype[0] == "f"]
    return _columns(element, NORMALS) if all(real.count(name) == 1 for name in NORMALS) else []


def _kind(element: Element, where: object) -> str:
    """The type of the coordinates: the narrowest of the three."""
    kinds = [element.properties[k].dtype for k in _columns(element, "xyz")]
    if any(kind[0] != "f" for kind in kinds):
        raise MeshError(
            "it stores positions as whole numbers, which others do not fit", where, "export it with real ones"
        )
    return min(kinds)
