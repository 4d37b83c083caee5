"""Find faces of a mesh that intersect each other."""

from __future__ import annotations

import numpy as np
from numba import njit


def intersecting_faces(
    vertices: np.ndarray,
    faces: np.ndarray,
    labels: np.ndarray | None = None,
    ignored: np.ndarray | None = None,
) -> np.ndarray:
    """Find faces that another face of the same mesh passes through.

    Faces that share a vertex are not compared, because linear blend skinning folds neighbours at every joint, which is
    not a defect of a pose. Faces that only touch do not count.

    Args:
        vertices: (V, 3) real.
        faces: (F, 3) integer.
        labels: (F,) integer, the part of the body that each face belongs to; by default there is only one part.
        ignored: (N, N) bool, which pairs of parts are not compared; none by default.

    Returns:
        (F,) bool.
    """
    if labels is None or ignored is None:
        labels, ignored = np.zeros(len(faces), np.int64), np.zeros((1, 1), np.bool_)
    points, faces = np.asarray(vertices, np.float64), np.asarray(faces, np.int64)
    # The sweep runs along the longest side, where the fewest faces overlap; that side comes first.
    points = np.ascontiguousarray(points[:, np.argsort(-np.ptp(points, axis=0), kind="stable")])
    order = np.argsort(points[:, 0][faces].min(axis=1), kind="stable")
    faces = faces[order]
    found = np.zeros(len(faces), np.bool_)
    corners, low, high = _boxes(points, faces)
    found[order] = _sweep(corners, low, high, faces, np.asarray(labels, np.int64)[order], ignored)
    return found


def crossings(
    vertices: np.ndarray,  # (V, 3) real
    faces: np.ndarray,  # (F, 3) int64
    parts: np.ndarray,  # (F, 2) uint64, a bit for each part of the body that moves a face
    known: np.ndarray,  # sorted codes of pairs that do not count
    one_will_do: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Return codes i * F + j of intersecting faces that share no part, and which faces (F,) intersect in a part.

    With `one_will_do` the search ends at the first pair.
    """
    points = vertices.astype(np.float64)
    order = np.argsort(points[:, 1][faces].min(axis=1))
    folded = np.zeros(len(faces), np.bool_)
    corners, low, high = _boxes(points, faces[order])
    found, folded[order] = _sweep_parts(
        corners, low, high, faces[order], parts[order], order, known, one_will_do
    )
    return found, folded


@njit(cache=True, nogil=True)
def _boxes(points, faces):
    """Return the corners (F, 3, 3) of the faces, and the low and high ends (F, 3) of their boxes."""
    corners = np.empty((len(faces), 3, 3))
    low, high = np.empty((len(faces), 3)), np.empty((len(faces), 3))
    for f in range(len(faces)):
        for k in range(3):
            a, b, c = points[faces[f, 0], k], points[faces[f, 1], k], points[faces[f, 2], k]
            corners[f, 0, k], corners[f, 1, k], corners[f, 2, k] = a, b, c
            low[f, k], high[f, k] = min(a, b, c), max(a, b, c)
    return corners, low, high


@njit(cache=True, nogil=True)
def _sweep(corners, low, high, faces, labels, ignored):
    """Compare faces, sorted by their first coordinate, with those that overlap them in it."""
    found = np.zeros(len(faces), np.bool_)
    for i in range(len(faces)):
        for j in range(i + 1, len(faces)):
            if low[j, 0] > high[i, 0]:
                break
            if low[j, 1] > high[i, 1] or high[j, 1] < low[i, 1]:
                continue
            if low[j, 2] > high[i, 2] or high[j, 2] < low[i, 2]:
                continue
            if (found[i] and found[j]) or ignored[labels[i], labels[j]] or _neighbours(faces, i, j):
                continue
            if _passes(corners, i, j) or _passes(corners, j, i):
                found[i] = found[j] = True
    return found


@njit(cache=True, nogil=True)
def _sweep_parts(corners, low, high, faces, parts, order, known, one_will_do):
    """Compare faces, sorted by their second coordinate, with those that overlap in it; `order` numbers them."""
    count = len(faces)
    found, folded = [], np.zeros(count, np.bool_)
    for i in range(count):
        for j in range(i + 1, count):
            if low[j, 1] > high[i, 1]:
                break
            if low[j, 0] > high[i, 0] or high[j, 0] < low[i, 0]:
                continue
            if low[j, 2] > high[i, 2] or high[j, 2] < low[i, 2]:
                continue
            together = (parts[i, 0] & parts[j, 0]) or (parts[i, 1] & parts[j, 1])
            if together and ((folded[i] and folded[j]) or _neighbours(faces, i, j)):
                continue
            if _passes(corners, i, j) or _passes(corners, j, i):
                if together:
                    folded[i] = folded[j] = True
                    continue
                code = min(order[i], order[j]) * count + max(order[i], order[j])
                at = np.searchsorted(known, code)
                if at == len(known) or known[at] != code:
                    found.append(code)
                    if one_will_do:
                        return np.array(found, np.int64), folded
    return np.array(found, np.int64), folded


@njit(cache=True, nogil=True)
def _neighbours(faces, i, j):
    for a in range(3):
        for b in range(3):
            if faces[i, a] == faces[j, b]:
                return True
    return False


@njit(cache=True, nogil=True)
def _passes(corners, i, j):
    """Return whether an edge of face i passes through the inside of face j."""
    a, b, c = corners[j, 0], corners[j, 1], corners[j, 2]
    sides = (_side(a, b, c, corners[i, 0]), _side(a, b, c, corners[i, 1]), _side(a, b, c, corners[i, 2]))
    if min(sides) >= 0 or max(sides) <= 0:
        return False
    for k in range(3):
        if sides[k] * sides[(k + 1) % 3] < 0:
            p, q = corners[i, k], corners[i, (k + 1) % 3]
            u, v, w = _side(p, q, a, b), _side(p, q, b, c), _side(p, q, c, a)
            if (u > 0 and v > 0 and w > 0) or (u < 0 and v < 0 and w < 0):
                return True
    return False


@njit(cache=True, nogil=True)
def _side(a, b, c, d):
    """Return six times the signed volume of the tetrahedron a, b, c, d."""
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    wx, wy, wz = d[0] - a[0], d[1] - a[1], d[2] - a[2]
    return wx * (uy * vz - uz * vy) + wy * (uz * vx - ux * vz) + wz * (ux * vy - uy * vx)
