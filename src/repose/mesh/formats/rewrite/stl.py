"""Rewrite STL with other positions: corners and normal of each triangle that moved; other bytes stay."""

from __future__ import annotations

import numpy as np

from repose.mesh.formats.rewrite.splice import WORD, decimals, fitted, replaced
from repose.mesh.formats.stl import FACET, HEADER, STATEMENT, is_binary
from repose.mesh.mesh import Mesh
from repose.mesh.operators import face_normals, unit


def rewrite(data: bytes, mesh: Mesh, vertices: np.ndarray, where: object = None) -> bytes:
    """Return the content of an .stl file with other positions; arguments of `repose.mesh.formats.rewrite.obj.rewrite`.

    Raises:
        MeshError: a coordinate does not fit in float32.
    """
    moved = (vertices != mesh.vertices).any(axis=1)
    bent = moved.reshape(-1, 3).any(axis=1)
    normals = unit(face_normals(vertices, mesh.faces))
    if is_binary(data):
        content = bytearray(data)
        facets = np.ndarray(len(bent), FACET, content, HEADER)
        facets["corners"][bent] = fitted(vertices, where).reshape(-1, 3, 3)[bent]
        facets["normal"][bent] = normals[bent]
        return bytes(content)
    corners: list[list[int]] = []
    directions: list[list[int]] = []
    for statement in STATEMENT.finditer(data):
        starts = [word.start() for word in WORD.finditer(data, *statement.span(3))]
        (corners if statement.group(1) else directions).append(starts)
    changes = [(np.array(corners)[moved], decimals(vertices[moved], where))]
    if len(directions) == len(bent):
        changes.append((np.array(directions)[bent], decimals(normals[bent], where)))
    return replaced(data, changes)
