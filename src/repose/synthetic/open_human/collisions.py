"""Does a posed body run through itself? Exact triangle tests.

Parts that no common bone moves may not meet at all. Where triangles share a bone, the skin folds at a joint, which
linear blend skinning always does; it may do so on a small share of the body. What intersects before any posing is
not counted.
"""

import numpy as np
from numba import njit

MOST_FOLDED = 0.01  # share of all faces that may run into faces they share no vertex with


class CollisionTest:
    """Self-intersection of bodies on one mesh."""

    def __init__(
        self, faces: np.ndarray, skin_bones: np.ndarray, skin_weights: np.ndarray, bone_names: tuple[str, ...]
    ):
        """See `Recipe` for the arrays."""
        self._faces = np.ascontiguousarray(faces, dtype=np.int64)
        self._parts = _parts_of_faces(self._faces, skin_bones, skin_weights, bone_names)
        self._known = np.empty(0, dtype=np.int64)
        self._unfolded = np.ones(len(faces), dtype=bool)

    def accept(self, vertices: np.ndarray) -> None:
        """Count the intersections of this mesh (V, 3) as harmless from now on."""
        found, folded = _intersections(
            vertices.astype(np.float64), self._faces, self._parts, self._known, False
        )
        self._known = np.unique(np.concatenate([self._known, found]))
        self._unfolded &= ~folded

    def intersects(self, vertices: np.ndarray) -> bool:
        """Whether the mesh (V, 3) runs through itself anywhere new, or folds too much."""
        found, folded = _intersections(
            vertices.astype(np.float64), self._faces, self._parts, self._known, True
        )
        return len(found) > 0 or bool((folded & self._unfolded).mean() > MOST_FOLDED)


def _parts_of_faces(
    faces: np.ndarray, skin_bones: np.ndarray, skin_weights: np.ndarray, names: tuple[str, ...]
) -> np.ndarray:
    """(F, 2) uint64: a bit for each part of the body that moves a face."""
    parts = [_part(name) for name in names]
    number = {part: k for k, part in enumerate(sorted(set(parts)))}
    bits = np.zeros((len(names), 2), dtype=np.uint64)
    for bone, part in enumerate(parts):
        bits[bone, number[part] // 64] = np.uint64(1) << np.uint64(number[part] % 64)
    moved = np.where(skin_weights[:, :, None] > 0, bits[skin_bones], np.uint64(0))
    return np.bitwise_or.reduce(np.bitwise_or.reduce(moved, axis=1)[faces], axis=1)


def _part(bone: str) -> str:
    """Toes move as one foot here, and eyes with the head: their touching is no collision."""
    if bone.startswith("toe"):
        return "toes" + bone[-2:]
    return "head" if bone.startswith("eye") else bone


@njit(cache=True)
def _intersections(vertices, faces, parts, known, any_will_do):  # pragma: no cover - compiled
    """Codes i * F + j of face pairs that intersect and share no part, and the faces (F,) in pairs that share one.

    By sweeping along y; where any code will do it ends with the first.
    """
    count = len(faces)
    bottoms = np.empty(count)
    for f in range(count):
        bottoms[f] = min(vertices[faces[f, 0], 1], vertices[faces[f, 1], 1], vertices[faces[f, 2], 1])
    order = np.argsort(bottoms)
    # Boxes and parts lie in the order of the sweep, so that the inner loop reads memory straight on.
    low, high, part = np.empty((count, 3)), np.empty((count, 3)), np.empty((count, 2), dtype=np.uint64)
    for m in range(count):
        for k in range(3):
            a, b, c = (
                vertices[faces[order[m], 0], k],
                vertices[faces[order[m], 1], k],
                vertices[faces[order[m], 2], k],
            )
            low[m, k], high[m, k] = min(a, b, c), max(a, b, c)
        part[m, 0], part[m, 1] = parts[order[m], 0], parts[order[m], 1]
    found, folded = [], np.zeros(count, np.bool_)
    for m in range(count):
        for n in range(m + 1, count):
            if low[n, 1] > high[m, 1]:
                break
            if (
                low[n, 0] > high[m, 0]
                or high[n, 0] < low[m, 0]
                or low[n, 2] > high[m, 2]
                or high[n, 2] < low[m, 2]
            ):
                continue
            i, j = order[m], order[n]
            together = (part[m, 0] & part[n, 0]) or (part[m, 1] & part[n, 1])
            if together and ((folded[i] and folded[j]) or _neighbours(faces, i, j)):
                continue
            if _cross(vertices, faces[i], faces[j]) or _cross(vertices, faces[j], faces[i]):
                if together:
                    folded[i] = folded[j] = True
                    continue
                code = min(i, j) * count + max(i, j)
                at = np.searchsorted(known, code)
                if at == len(known) or known[at] != code:
                    found.append(code)
                    if any_will_do:
                        return np.array(found, dtype=np.int64), folded
    return np.array(found, dtype=np.int64), folded


@njit(cache=True)
def _neighbours(faces, i, j):  # pragma: no cover - compiled
    for a in range(3):
        for b in range(3):
            if faces[i, a] == faces[j, b]:
                return True
    return False


@njit(cache=True)
def _cross(vertices, one, other):  # pragma: no cover - compiled
    """Whether an edge of triangle `one` passes through triangle `other`."""
    a, b, c = vertices[other[0]], vertices[other[1]], vertices[other[2]]
    side = np.empty(3)
    for k in range(3):
        side[k] = _volume(a, b, c, vertices[one[k]])
    for k in range(3):
        if side[k] * side[(k + 1) % 3] >= 0:
            continue
        p, q = vertices[one[k]], vertices[one[(k + 1) % 3]]
        u, v, w = _volume(p, q, a, b), _volume(p, q, b, c), _volume(p, q, c, a)
        if (u > 0 and v > 0 and w > 0) or (u < 0 and v < 0 and w < 0):
            return True
    return False


@njit(cache=True)
def _volume(a, b, c, d):  # pragma: no cover - compiled
    """Six times the signed volume of a tetrahedron."""
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    wx, wy, wz = d[0] - a[0], d[1] - a[1], d[2] - a[2]
    return ux * (vy * wz - vz * wy) - uy * (vx * wz - vz * wx) + uz * (vx * wy - vy * wx)
