"""Rewrite PLY with other positions: x, y, z of each vertex that moved, and nx, ny, nz if it has them.

Header, comments, other properties and elements, faces and everything else stay equal byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from repose.errors import MeshError
from repose.mesh.formats.dressed import Dressed
from repose.mesh.formats.ply import parse_header, row_type, walk
from repose.mesh.formats.rewrite.normals import recomputed
from repose.mesh.formats.rewrite.splice import decimals, fitted, numbers_at, replaced, rows_at
from repose.mesh.mesh import Mesh

NORMALS = "nx", "ny", "nz"
COLOURS = "red", "green", "blue"
TEXTURE = ("s", "t"), ("u", "v"), ("texture_u", "texture_v")


def rewrite(data: bytes, mesh: Mesh, vertices: np.ndarray, where: object = None) -> bytes:
    """Return the content of a .ply file with other positions; arguments of `repose.mesh.formats.rewrite.obj.rewrite`.

    Raises:
        MeshError: the file stores positions as integers, or a coordinate does not fit in its type.
    """
    table = _Table(data, where)
    if not table.is_real("xyz"):
        raise MeshError(
            "it stores positions as whole numbers, which others do not fit", where, "export it with real ones"
        )
    table.replace("xyz", (vertices != mesh.vertices).any(axis=1), vertices, where)
    if table.is_real(NORMALS) and (old := table.columns(NORMALS)) is not None:
        found, new = recomputed(mesh, vertices, old)
        table.replace(NORMALS, new, found, where)
    return table.replaced()


def dressed(data: bytes, mesh: Mesh) -> Dressed:
    """Return the mesh of a .ply file with its colours and texture coordinates."""
    table = _Table(data)
    colours, texture = table.columns((*COLOURS, "alpha")), None
    if colours is None:
        colours = table.columns(COLOURS)
    if colours is not None and table.element.properties[table.numbers(COLOURS)[0]].dtype[0] in "iu":
        colours = colours / 255
    for names in TEXTURE:
        texture = table.columns(names) if texture is None else texture
    return Dressed(mesh, colours, texture, mesh.faces)


class _Table:
    """The rows of the vertices, in text or binary."""

    def __init__(self, data: bytes, where: object = None):
        self.data = data
        self.order, elements, pos = parse_header(data, where)
        at = next(k for k, element in enumerate(elements) if element.name == "vertex")
        self.element = elements[at]
        if self.order:
            for earlier in elements[:at]:
                _, _, pos = walk(data, pos, self.order, earlier, -1, where)
            self.content = bytearray(data)
            self.rows = np.ndarray(self.element.count, row_type(self.element, self.order), self.content, pos)
        else:
            skip, fields = sum(earlier.count for earlier in elements[:at]), len(self.element.properties)
            self.starts = rows_at(data, pos, skip, self.element.count, range(fields), hash_ends=False)
            self.changes: list[tuple[np.ndarray, list[bytes]]] = []

    def numbers(self, names: Iterable[str]) -> list[int]:
        """Return the columns of some properties; empty if one of them is missing or appears twice."""
        found = [p.name for p in self.element.properties]
        return [found.index(name) for name in names] if all(found.count(name) == 1 for name in names) else []

    def columns(self, names: Sequence[str]) -> np.ndarray | None:
        """Return the values (V, K) of some properties as float64; None if they are missing."""
        numbers = self.numbers(names)
        if not numbers:
            return None
        if not self.order:
            return numbers_at(self.data, self.starts[:, numbers])
        return np.stack([self.rows[f"f{k}"] for k in numbers], axis=1).astype(np.float64)

    def replace(self, names: Sequence[str], rows: np.ndarray, values: np.ndarray, where: object) -> None:
        """Replace numbers (V, K), which are real in the file, in the rows that `rows` (V,) chooses."""
        for column, number in zip(values.T, self.numbers(names), strict=True):
            new = fitted(column[rows], where, self.element.properties[number].dtype)
            if self.order:
                self.rows[f"f{number}"][rows] = new
            else:
                self.changes.append((self.starts[rows, number], decimals(new, where, new.dtype.str)))

    def replaced(self) -> bytes:
        """Return the content of the file with the replaced numbers."""
        return bytes(self.content) if self.order else replaced(self.data, self.changes)

    def is_real(self, names: Iterable[str]) -> bool:
        """Return whether some properties exist and are real numbers."""
        numbers = self.numbers(names)
        return bool(numbers) and all(self.element.properties[k].dtype[0] == "f" for k in numbers)
