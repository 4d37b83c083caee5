"""Apply poses of SMPL's skeleton to Anny's.

SMPL's angles rotate joints of a body that stands with its arms stretched out to the sides and its palms down, about
axes of that body. Anny's skeleton has more bones, and its arms hang when nothing is rotated. So each bone is brought to
SMPL's zero pose, with stretched arms, and then rotated like the joint that it belongs to; a bone that SMPL does not
have follows its parent.
"""

from collections.abc import Mapping

import numpy as np
from scipy.spatial.transform import Rotation

from repose.synthetic.open_human.poses import Arm
from repose.synthetic.open_human.turns import turn

_TRUNK = {0: "root", 3: "spine05", 6: "spine03", 9: "spine01", 12: "neck01", 15: "head"}
# SMPL's joints of the left side; each is followed by that of the right. Toes (10, 11) are never rotated.
_LEFT = {
    1: "upperleg01",
    4: "lowerleg01",
    7: "foot",
    13: "clavicle",
    16: "upperarm01",
    18: "lowerarm01",
    20: "wrist",
}
_HANDS = {"L": 22, "R": 23}  # SMPL has one joint for all fingers
_FINGERS = tuple(f"finger{number}-1" for number in range(1, 6))
_SIDES = {"L": 1.0, "R": -1.0}


class SmplOnAnny:
    """Rotates Anny's bones like SMPL's joints."""

    def __init__(self, bone_names: tuple[str, ...], parents: np.ndarray, arms: Mapping[str, Arm]):
        """Store the bones' names and parents (J,), and both arms of the unrotated body."""
        self._parents = parents
        self._joints = [_joint_of().get(name) for name in bone_names]
        zero = {name: turn for side, arm in arms.items() for name, turn in _stretched(arm, side).items()}
        self._zero = np.empty((len(parents), 3, 3))
        for bone, (name, parent) in enumerate(zip(bone_names, parents, strict=True)):
            self._zero[bone] = zero.get(name, np.eye(3) if parent < 0 else self._zero[parent])

    def pose(
        self,
        turns: np.ndarray,  # (24, 3), axis-angle vectors of SMPL's joints, radians
    ) -> np.ndarray:
        """Return the same pose as rotation vectors of Anny's bones (J, 3) float32, each relative to its parent."""
        own = Rotation.from_rotvec(turns).as_matrix()
        carried = np.empty_like(self._zero)
        poses = np.empty_like(self._zero)
        for bone, (joint, parent) in enumerate(zip(self._joints, self._parents, strict=True)):
            turn = np.eye(3) if joint is None else own[joint]
            carried[bone] = turn if parent < 0 else carried[parent] @ turn
            before = np.eye(3) if parent < 0 else carried[parent] @ self._zero[parent]
            poses[bone] = before.T @ carried[bone] @ self._zero[bone]
        return Rotation.from_matrix(poses).as_rotvec().astype(np.float32)


def _joint_of() -> dict[str, int]:
    """Return the joint of SMPL that rotates each bone."""
    found = {bone: joint for joint, bone in _TRUNK.items()}
    for joint, bone in _LEFT.items():
        found |= {f"{bone}.L": joint, f"{bone}.R": joint + 1}
    return found | {f"{finger}.{side}": joint for side, joint in _HANDS.items() for finger in _FINGERS}


def _stretched(arm: Arm, side: str) -> dict[str, np.ndarray]:
    """Return the rotations (3, 3) of the bones of an arm that stretch it along x, bending ahead, with the palm down."""
    out = np.array([_SIDES[side], 0.0, 0.0])
    hinge = np.array([0.0, -_SIDES[side], 0.0])  # a rotation about it brings the forearm to the front
    upper = _frame(out, hinge) @ _frame(arm.upper, arm.hinge).T
    lower = upper @ turn(arm.hinge, -arm.bend).as_matrix()
    # A rotation of the forearm about its own axis puts the little finger behind the forefinger.
    knuckles = lower @ arm.knuckles
    angle = np.arctan2(np.cross(knuckles, [0.0, 0.0, -1.0]) @ out, -knuckles[2])
    hand = Rotation.from_rotvec(angle * out).as_matrix() @ lower
    return {f"upperarm01.{side}": upper, f"lowerarm01.{side}": lower, f"lowerarm02.{side}": hand}


def _frame(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return a frame (3, 3) with two orthogonal unit vectors as its first columns."""
    return np.stack([first, second, np.cross(first, second)], axis=1)
