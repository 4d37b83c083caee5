"""Test whether a posed body intersects itself, with exact triangle tests.

Parts that no common bone moves may not touch at all. Where triangles share a bone, the skin folds at a joint, which
always happens in linear blend skinning; this is allowed on a small share of the body. Intersections that exist before
posing do not count.
"""

import numpy as np

from repose.mesh.intersections import crossings

MOST_FOLDED = 0.01  # share of all faces that may intersect faces with which they share no vertex


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
        found, folded = crossings(vertices, self._faces, self._parts, self._known)
        self._known = np.unique(np.concatenate([self._known, found]))
        self._unfolded &= ~folded

    def intersects(self, vertices: np.ndarray) -> bool:
        """Return whether the mesh (V, 3) has new intersections with itself, or folds too much."""
        found, folded = crossings(vertices, self._faces, self._parts, self._known, one_will_do=True)
        return len(found) > 0 or bool((folded & self._unfolded).mean() > MOST_FOLDED)

    def touches(self, vertices: np.ndarray) -> float:
        """Return the share of the faces of the mesh (V, 3) that have new intersections."""
        found, folded = crossings(vertices, self._faces, self._parts, self._known)
        there = folded & self._unfolded
        there[found // len(there)] = there[found % len(there)] = True
        return float(there.mean())


def _parts_of_faces(
    faces: np.ndarray, skin_bones: np.ndarray, skin_weights: np.ndarray, names: tuple[str, ...]
) -> np.ndarray:
    """Return a bit for each part of the body that moves a face, (F, 2) uint64."""
    parts = [_part(name) for name in names]
    number = {part: k for k, part in enumerate(sorted(set(parts)))}
    bits = np.zeros((len(names), 2), dtype=np.uint64)
    for bone, part in enumerate(parts):
        bits[bone, number[part] // 64] = np.uint64(1) << np.uint64(number[part] % 64)
    moved = np.where(skin_weights[:, :, None] > 0, bits[skin_bones], np.uint64(0))
    return np.bitwise_or.reduce(np.bitwise_or.reduce(moved, axis=1)[faces], axis=1)


def _part(bone: str) -> str:
    """Return the part of a bone: toes count as one foot, and eyes as the head, whose contacts are no collisions."""
    if bone.startswith("toe"):
        return "toes" + bone[-2:]
    return "head" if bone.startswith("eye") else bone
