"""Rewrite OFF with other positions: the three numbers of each vertex that moved, and its normal in a NOFF file."""

from __future__ import annotations

import numpy as np

from repose.mesh.formats.off import header
from repose.mesh.formats.rewrite.normals import recomputed
from repose.mesh.formats.rewrite.splice import decimals, numbers_at, replaced, rows_at
from repose.mesh.mesh import Mesh


def rewrite(data: bytes, mesh: Mesh, vertices: np.ndarray, where: object = None) -> bytes:
    """Return the content of an .off file with other positions; arguments of `repose.mesh.formats.rewrite.obj.rewrite`.

    Raises:
        MeshError: a coordinate does not fit in float32.
    """
    words, pos = header(data)
    try:
        starts = rows_at(data, pos, 0, len(vertices), range(6 if b"N" in words[0] else 3), hash_ends=True)
    except IndexError:  # a vertex lacks the normal that the first line announces
        starts = rows_at(data, pos, 0, len(vertices), range(3), hash_ends=True)
    moved = (vertices != mesh.vertices).any(axis=1)
    changes = [(starts[moved, :3], decimals(vertices[moved], where))]
    if starts.shape[1] == 6:
        found, new = recomputed(mesh, vertices, numbers_at(data, starts[:, 3:]))
        changes.append((starts[new, 3:], decimals(found[new], where)))
    return replaced(data, changes)
