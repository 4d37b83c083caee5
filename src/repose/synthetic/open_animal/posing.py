"""Pose the bodies of a recipe: forward kinematics and linear blend skinning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from repose.synthetic.open_animal.anatomy import PARENTS
from repose.synthetic.open_animal.recipe import Recipe


def meshes(recipe: Recipe, identity: int, poses: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the vertices of one identity in some poses, in the frame of `Recipe`.

    Args:
        recipe: a recipe that `generate` returned.
        identity: number of the identity.
        poses: (P,) numbers of poses.

    Returns:
        (P, V, 3) float32, metres.
    """
    chosen = recipe.poses[np.asarray(poses, dtype=np.int64)]
    rest, heads = recipe.rest_vertices[identity].astype(np.float64), recipe.bone_heads[identity]
    bones, shares = recipe.skin_bones.astype(np.int64), recipe.skin_weights.astype(np.float64)
    return pose_skin(rest, heads, bones, shares, chosen).astype(np.float32)


def turn_bones(poses: np.ndarray, heads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pose a skeleton.

    Args:
        poses: (P, J, 3) rotation vector of each bone relative to its parent, in axes of the body, radians.
        heads: (J, 3) joints at rest.

    Returns:
        (P, J, 3, 3) rotations and (P, J, 3) joints. The root joint stays where it is.
    """
    local = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(*poses.shape, 3)
    turned, placed = local.copy(), np.broadcast_to(heads, poses.shape).copy()
    for bone, parent in enumerate(PARENTS):
        if parent >= 0:
            turned[:, bone] = turned[:, parent] @ local[:, bone]
            placed[:, bone] = placed[:, parent] + turned[:, parent] @ (heads[bone] - heads[parent])
    return turned, placed


def pose_skin(
    rest: np.ndarray, heads: np.ndarray, bones: np.ndarray, shares: np.ndarray, poses: np.ndarray
) -> np.ndarray:
    """Apply linear blend skinning: (P, V, 3) float64 for rest vertices (V, 3) and poses (P, J, 3)."""
    turned, placed = turn_bones(poses.astype(np.float64), heads)
    offset = placed - np.einsum("pjab,jb->pja", turned, heads)
    out = np.zeros((len(poses), *rest.shape))
    for k in range(bones.shape[1]):
        moved = (
            np.einsum("pvab,vb->pva", turned[:, bones[:, k]], rest, optimize=True) + offset[:, bones[:, k]]
        )
        out += shares[:, k, None] * moved
    return out
