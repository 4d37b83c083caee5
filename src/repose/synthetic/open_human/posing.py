"""Pose the bodies of a recipe: forward kinematics and linear blend skinning, one mesh at a time.

Every mesh is computed on its own in float64 with the same operations in the same order and rounded once, so its bytes
do not depend on the other meshes asked for, nor on the number of threads.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial.transform import Rotation

from repose.errors import ReposeError
from repose.synthetic.open_human.recipe import Recipe

if TYPE_CHECKING:
    from repose.synthetic.open_human.anny_body import RiggedBodies


def meshes(recipe: Recipe, identity: int, poses: Sequence[int]) -> np.ndarray:
    """Return one identity in some poses.

    Args:
        recipe: see `Recipe`.
        identity: number of the identity.
        poses: numbers of the poses, in the order of the result.

    Returns:
        (len(poses), V, 3) float32 vertices in metres, y up, facing +z; the faces are `recipe.faces`.

    Raises:
        ReposeError: a number is out of range.
    """
    _check("pose", poses, len(recipe.poses))
    skin = skin_of(recipe, identity)
    out = np.empty((len(poses), len(recipe.rest_vertices[identity]), 3), dtype=np.float32)
    for row, pose in enumerate(poses):
        out[row] = skin.vertices(turn_bones(recipe.poses[pose], recipe.bone_parents))
    return out


def skin_of(bodies: "Recipe | RiggedBodies", identity: int) -> "Skin":
    """Return one identity of a recipe, or of its bodies, ready to be posed.

    Raises:
        ReposeError: there is no such identity.
    """
    _check("identity", [identity], len(bodies.rest_vertices))
    return Skin(
        bodies.rest_vertices[identity],
        bodies.bone_heads[identity],
        bodies.bone_twists[identity],
        bodies.bone_parents,
        bodies.skin_bones,
        bodies.skin_weights,
    )


def _check(what: str, numbers: Sequence[int], count: int) -> None:
    for number in numbers:
        if not 0 <= number < count:
            raise ReposeError(
                f"there is no {what} {number}", "open-human", f"the recipe has 0 to {count - 1}"
            )


def turn_bones(pose: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """Return the total rotation of each bone: its own after its parent's.

    Args:
        pose: (J, 3) rotation vectors in axes of the body, radians.
        parents: (J,) with parents before children, -1 for the root.

    Returns:
        (J, 3, 3) float64.
    """
    turned = Rotation.from_rotvec(pose.astype(np.float64)).as_matrix()
    for bone in range(1, len(parents)):
        turned[bone] = turned[parents[bone]].dot(turned[bone])
    return turned


class Skin:
    """One identity, ready to be posed."""

    def __init__(
        self,
        rest: np.ndarray,
        heads: np.ndarray,
        twists: np.ndarray,
        parents: np.ndarray,
        skin_bones: np.ndarray,
        skin_weights: np.ndarray,
    ):
        """Store the arrays of one identity; see `Recipe`."""
        self._rest = rest.astype(np.float64)
        self._heads, self._twists = heads.astype(np.float64), twists.astype(np.float64)
        self._parents = parents
        # As in Anny, the root's own twist rotates the skin near it but not the skeleton.
        carried = np.concatenate([np.eye(3)[None], self._twists[1:]])
        self._offsets = np.einsum(
            "jab,jb->ja", carried[parents[1:]], self._heads[1:] - self._heads[parents[1:]]
        )
        rows = np.repeat(np.arange(len(rest)), skin_bones.shape[1])
        weights = skin_weights.astype(np.float64)
        weights /= weights.sum(axis=1, keepdims=True)
        self._weights = csr_array(
            (weights.ravel(), (rows, skin_bones.ravel())), shape=(len(rest), len(parents))
        )

    def joints(self, turned: np.ndarray) -> np.ndarray:
        """Return the (J, 3) joint positions, root at the origin, for bone rotations (J, 3, 3) of `turn_bones`."""
        steps = np.einsum("jab,jb->ja", turned[self._parents[1:]], self._offsets)
        out = np.zeros((len(self._parents), 3))
        for bone, parent in enumerate(self._parents[1:], start=1):
            out[bone] = out[parent] + steps[bone - 1]
        return out

    def vertices(self, turned: np.ndarray) -> np.ndarray:
        """Return the (V, 3) float32 vertices for bone rotations (J, 3, 3) of `turn_bones`."""
        turns = np.einsum("jab,jbc->jac", turned, self._twists)
        shifts = self.joints(turned) - np.einsum("jab,jb->ja", turns, self._heads)
        bones = np.concatenate([turns.reshape(-1, 9), shifts], axis=1)
        blend = self._weights @ bones
        x, y, z = self._rest[:, 0:1], self._rest[:, 1:2], self._rest[:, 2:3]
        moved = blend[:, 0:9:3] * x + blend[:, 1:9:3] * y + blend[:, 2:9:3] * z + blend[:, 9:]
        return moved.astype(np.float32)
