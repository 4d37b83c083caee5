"""The SMPL body model (Loper et al., SIGGRAPH Asia 2015), read from a model file: from shape and pose to vertices."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from repose.errors import ReposeError
from repose.raw.model_file import read_arrays

ARRAYS = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table", "f")


@dataclass(frozen=True, eq=False)
class BodyModel:
    """The arrays of a model with V vertices, F faces, J joints and B shape directions, in metres, y up."""

    template: np.ndarray  # (V, 3)
    shape_directions: np.ndarray  # (V, 3, B)
    pose_directions: np.ndarray  # (V, 3, 9 (J - 1))
    regressor: np.ndarray  # (J, V) computes joints from vertices
    weights: np.ndarray  # (V, J)
    parents: tuple[int, ...]  # parents of joints 1 …
    faces: np.ndarray  # (F, 3)

    def vertices(
        self,
        betas: np.ndarray,  # (≤ B,)
        pose: np.ndarray,  # (J, 3) axis-angle, radians
    ) -> np.ndarray:
        """Pose a body: shape, then pose corrections, then linear blend skinning.

        Args:
            betas: shape, in the model's own units; missing directions are 0.
            pose: rotation of each joint relative to its parent, that of the root in the frame of the model.

        Returns:
            Vertices (V, 3) float64 in metres, y up.
        """
        shaped = self.template + self.shape_directions[..., : len(betas)] @ betas
        joints = self.regressor @ shaped
        turns = Rotation.from_rotvec(pose).as_matrix()
        posed = shaped + self.pose_directions @ (turns[1:] - np.eye(3)).ravel()
        moves = np.empty((len(joints), 3, 4))
        for joint, (turn, place) in enumerate(zip(turns, joints, strict=True)):
            parent = np.eye(3, 4) if joint == 0 else moves[self.parents[joint - 1]]
            # A rotation about the joint's own position, in the frame of its parent.
            moves[joint, :, :3] = parent[:, :3] @ turn
            moves[joint, :, 3] = parent[:, :3] @ (place - turn @ place) + parent[:, 3]
        blend = np.einsum("vj,jab->vab", self.weights, moves)
        return np.einsum("vab,vb->va", blend[..., :3], posed) + blend[..., 3]


def read_body_model(path: Path) -> BodyModel:
    """Read a model file (.npz or .pkl).

    Raises:
        ReposeError: an array is missing, not finite, or of a shape that does not fit the others.
    """
    arrays = read_arrays(path, ARRAYS)
    tree, faces = arrays["kintree_table"].astype(np.int64), arrays["f"].astype(np.int64)
    vertices, joints = len(arrays["v_template"]), tree.shape[-1]
    shapes = {
        "v_template": (vertices, 3),
        "shapedirs": (vertices, 3, arrays["shapedirs"].shape[-1]),
        "posedirs": (vertices, 3, 9 * (joints - 1)),
        "J_regressor": (joints, vertices),
        "weights": (vertices, joints),
        "kintree_table": (2, joints),
        "f": (len(faces), 3),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ReposeError(
                f"{name} has shape {arrays[name].shape}, not {shape}", path, "not an SMPL model?"
            )
        if not np.isfinite(arrays[name].astype(np.float64)).all():
            raise ReposeError(f"{name} has values that are not finite", path)
    parents = tuple(tree[0, 1:].tolist())
    if any(not 0 <= parent <= joint for joint, parent in enumerate(parents)):
        raise ReposeError("a joint comes before its parent", path, "not an SMPL model?")
    template, shaping, posing, regressor, weights = (arrays[name].astype(np.float64) for name in ARRAYS[:5])
    return BodyModel(template, shaping, posing, regressor, weights, parents, faces)
