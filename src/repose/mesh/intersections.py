"""Which faces of a mesh run through each other."""

from __future__ import annotations

import numpy as np
from numba import njit


def intersecting_faces(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Find faces that another face of the same mesh passes through.

    Faces that share a vertex are not compared, and faces that only touch do not count: linear blend skinning
    folds neighbours at every joint, and that is no defect of a pose.

    Args:
        vertices: (V, 3) real.
        faces: (F, 3) integer.

    Returns:
        (F,) bool.
    """
    vertices = np.ascontiguousarray(vertices, np.float64)
    corners = vertices[faces]  # (F, 3, 3)
    low, high = corners.min(axis=1), corners.max(axis=1)
    # Swept along the longest side, where the fewest faces overlap.
    axis = int(np.argmax(high.max(axis=0) - low.min(axis=0)))
    order = np.argsort(low[:, axis], kind="stable")
    return _sweep(corners, np.ascontiguousarray(faces, np.int64), low, high, axis, order)


@njit(cache=True, nogil=True)
def _sweep(corners, faces, low, high, axis, order):
    found = np.zeros(len(faces), np.bool_)
    one, two = (axis + 1) % 3, (axis + 2) % 3
    for m in range(len(order)):
        i = order[m]
        for n in range(m + 1, len(order)):
            j = order[n]
            if low[j, axis] > high[i, axis]:
                break
            if found[i] and found[j]:
                continue
            if low[j, one] > high[i, one] or high[j, one] < low[i, one]:
                continue
            if low[j, two] > high[i, two] or high[j, two] < low[i, two] or _neighbours(faces, i, j):
                continue
            if _passes(corners, i, j) or _passes(corners, j, i):
                found[i] = found[j] = True
    return found


@njit(cache=True, nogil=True)
def _neighbours(faces, i, j):
    for a in range(3):
        for b in range(3):
            if faces[i, a] == faces[j, b]:
                return True
    return False


@njit(cache=True, nogil=True)
def _passes(corners, i, j):
    """Whether an edge of face i passes through the inside of face j."""
    a, b, c = corners[j, 0], corners[j, 1], corners[j, 2]
    for k in range(3):
        p, q = corners[i, k], corners[i, (k + 1) % 3]
        if _side(a, b, c, p) * _side(a, b, c, q) < 0:
            u, v, w = _side(p, q, a, b), _side(p, q, b, c), _side(p, q, c, a)
            if (u > 0 and v > 0 and w > 0) or (u < 0 and v < 0 and w < 0):
                return True
    return False


@njit(cache=True, nogil=True)
def _side(a, b, c, d):
    """Six times the signed volume of the tetrahedron a, b, c, d."""
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    wx, wy, wz = d[0] - a[0], d[1] - a[1], d[2] - a[2]
    return wx * (uy * vz - uz * vy) + wy * (uz * vx - ux * vz) + wz * (ux * vy - uy * vx)
