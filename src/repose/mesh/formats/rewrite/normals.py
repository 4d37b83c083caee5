"""Normals of a surface that has moved, smooth and sharp where the old ones were."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from repose.mesh.mesh import Mesh
from repose.mesh.operators import Float, face_normals, unit

Int = NDArray[np.integer]


def recomputed(
    before: Mesh,
    after: Float,  # (V, 3)
    normals: Float,  # (N, 3)
    corners: Int | None = None,  # (F, 3)
) -> tuple[Float, NDArray[np.bool_]]:
    """Recompute the normals of a mesh whose vertices have moved.

    Corners that were at one place with equal normals stay smooth, also across a texture seam: they get one normal, the
    area-weighted mean over their faces. Between other corners at that place the edge stays sharp.

    Args:
        before: the mesh as it was.
        after: its vertices after the motion.
        normals: its old normals, of any length.
        corners: number of the normal of each corner of a face, or -1; None if vertex i has normal i.

    Returns:
        (N, 3) unit normals, and (N,) whether each has changed. A normal is kept if no face with an area has moved
            around it.
    """
    corners = before.faces if corners is None else corners
    moved = (after != before.vertices).any(axis=1)[before.faces].any(axis=1)
    has = corners.ravel() >= 0
    number = corners.ravel()[has]
    place = _alike(before.vertices)[before.faces.ravel()[has]]
    _, group = np.unique(place * (len(normals) + 1) + _alike(normals)[number], return_inverse=True)
    # The normal of each face, and whether the face moved, are repeated for each of its corners.
    with np.errstate(all="ignore"):
        of_faces = np.repeat(face_normals(after, before.faces), 3, axis=0)[has]
    touched = np.bincount(group, np.repeat(moved, 3)[has])[group] > 0
    around = unit(_sums(group, of_faces)[group])
    # A normal that several places share, which only .obj allows, becomes the mean of theirs.
    _, once = np.unique(number * (group.max(initial=0) + 1) + group, return_index=True)
    found = unit(_sums(number[once], around[once], len(normals)))
    new = (np.bincount(number, touched, len(normals)) > 0) & (found != 0).any(axis=1)
    return np.where(new[:, None], found, normals), new


def turned_with(
    before: Mesh,
    after: Float,  # (V, 3)
    directions: Float,  # (V, 3)
    normals: Float,  # (V, 3) unit, after the motion
) -> Float:  # (V, 3)
    """Rotate directions along a surface with the faces around each vertex, and return them at unit length.

    Args:
        before, after: the mesh before the motion, and its vertices after it.
        directions: one for each vertex, such as the tangents of a texture.
        normals: the result is orthogonal to these.
    """
    with np.errstate(all="ignore"):
        frames = [_frames(vertices, before.faces) for vertices in (before.vertices, after)]
        maps = frames[1] @ np.linalg.pinv(frames[0])
        areas = np.linalg.norm(face_normals(before.vertices, before.faces), axis=1)
        moved = np.zeros_like(directions)
        for corner in before.faces.T:
            there = areas[:, None] * (maps @ directions[corner][..., None])[..., 0]
            moved += _sums(corner, np.nan_to_num(there), len(moved))
        return unit(moved - (moved * normals).sum(1, keepdims=True) * normals)


def _frames(vertices: Float, faces: Int) -> Float:
    """Return two edges and the unit normal of each face, as columns (F, 3, 3)."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return np.stack([b - a, c - a, unit(np.cross(b - a, c - a))], axis=2)


def _alike(rows: Float) -> NDArray[np.int64]:
    """Return a number (N,) for each row, which is the same for equal rows."""
    return np.unique(rows, axis=0, return_inverse=True)[1].ravel().astype(np.int64)


def _sums(which: Int, rows: Float, count: int = 0) -> Float:
    """Return the sums (count, 3) of the rows of each group."""
    sums = np.stack([np.bincount(which, rows[:, k], count) for k in range(3)], axis=1)
    return sums.astype(np.float64)  # for no rows at all numpy returns integers
