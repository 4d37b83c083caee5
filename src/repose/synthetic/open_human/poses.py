"""Plausible human poses: joint rotations drawn inside anatomical ranges, by style.

Rotations are given in axes of the body (x to its left, y up, z ahead), so angles are anatomical: a rotation about x
bends forward, about y twists, about z leans sideways. Angles are in degrees, drawn from triangular distributions
(lowest, most likely, highest); the ranges are our own, found by drawing, rendering and looking.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from repose.synthetic.open_human import deep
from repose.synthetic.open_human.turns import X, Y, Z, turn

STYLES = {"stand": 0.20, "walk": 0.25, "squat": 0.15, "reach": 0.20, "free": 0.20}
SIDES = (("L", 1.0), ("R", -1.0))
_FINGERS = (2, 3, 4, 5)

_TRUNK = {
    "stand": (-10, 0, 20),
    "walk": (-5, 8, 25),
    "squat": (5, 30, 60),
    "reach": (-15, 5, 45),
    "free": (-20, 10, 60),
} | deep.TRUNK
# Angles of an arm: elevation, azimuth, and bending of the elbow.
_HANGING = (-72, -58, -38), (-25, 20, 60), (5, 20, 70)
_REACHING = (-40, 25, 80), (-15, 35, 100), (0, 20, 80)
_ANYHOW = (-80, -25, 75), (-30, 35, 105), (0, 45, 125)
_ARMS = {
    "stand": _HANGING,
    "walk": _HANGING,
    "reach": _REACHING,
    "squat": _ANYHOW,
    "free": _ANYHOW,
} | deep.ARMS


@dataclass(frozen=True)
class Arm:
    """Directions of one arm (unit vectors) in the pose with all rotations zero."""

    upper: np.ndarray
    lower: np.ndarray
    hinge: np.ndarray
    knuckles: np.ndarray

    @property
    def bend(self) -> float:
        """The angle of the elbow in degrees."""
        return float(np.degrees(np.arccos(np.clip(self.upper @ self.lower, -1, 1))))


class PoseSampler:
    """Draws poses for one skeleton."""

    def __init__(self, bone_names: tuple[str, ...], joints: np.ndarray):
        """Store the bones' names and their joints (J, 3) in the unposed body, metres."""
        self._number = {name: k for k, name in enumerate(bone_names)}
        joint = {name: joints[k] for name, k in self._number.items()}
        self.arms = {side: _arm(joint, side) for side, _ in SIDES}

    def draw(
        self, rng: np.random.Generator, style: str | None = None, styles: Mapping[str, float] = STYLES
    ) -> tuple[str, np.ndarray]:
        """Draw a pose: its style, with these shares unless given, and (J, 3) float32 rotation vectors, radians."""
        style = style or str(rng.choice(list(styles), p=list(styles.values())))
        stride = rng.uniform(0, 2 * np.pi)
        turns = _trunk(rng, style)
        for side, sign in SIDES:
            swing = np.sin(stride if sign > 0 else stride + np.pi)
            if style in deep.STYLES:
                turns |= deep.leg(rng, style, side, sign, leads=swing > 0)
            else:
                turns |= _leg(rng, style, side, sign, swing)
            turns |= _shoulder_and_elbow(rng, style, side, sign, swing, self.arms[side])
            turns |= _hand(rng, side, sign, self.arms[side])
        return style, self._pose(turns)

    def bent(self) -> np.ndarray:
        """Return a pose (J, 3) float32 with every large joint half bent, radians."""
        turns = {}
        for side, sign in SIDES:
            arm = self.arms[side]
            turns[f"upperleg01.{side}"] = turn(Z, sign * 10) * turn(X, -60)
            turns[f"lowerleg01.{side}"] = turn(X, 90)
            turns[f"lowerarm01.{side}"] = turn(arm.hinge, 70 - arm.bend)
        return self._pose(turns)

    def _pose(self, turns: dict[str, Rotation]) -> np.ndarray:
        pose = np.zeros((len(self._number), 3), dtype=np.float32)
        for bone, rotation in turns.items():
            pose[self._number[bone]] = rotation.as_rotvec()
        return pose


def _arm(joint: dict[str, np.ndarray], side: str) -> Arm:
    upper = _unit(joint[f"lowerarm01.{side}"] - joint[f"upperarm01.{side}"])
    lower = _unit(joint[f"wrist.{side}"] - joint[f"lowerarm01.{side}"])
    return Arm(
        upper,
        lower,
        _unit(np.cross(upper, lower)),
        _unit(joint[f"finger5-1.{side}"] - joint[f"finger2-1.{side}"]),
    )


def _trunk(rng: np.random.Generator, style: str) -> dict[str, Rotation]:
    bend = rng.triangular(*_TRUNK[style])
    spine = _split(5, bend, rng.triangular(-35, 0, 35), rng.triangular(-22, 0, 22))
    # The head keeps looking ahead while the back bends.
    neck = _split(
        4, rng.triangular(-25, -0.3 * bend, 30), rng.triangular(-55, 0, 55), rng.triangular(-20, 0, 20)
    )
    turns = {f"spine0{k}": spine for k in range(1, 6)}
    return turns | {bone: neck for bone in ("neck01", "neck02", "neck03", "head")}


def _split(parts: int, bend: float, twist: float, lean: float) -> Rotation:
    return turn(X, bend / parts) * turn(Z, lean / parts) * turn(Y, twist / parts)


def _leg(rng: np.random.Generator, style: str, side: str, sign: float, swing: float) -> dict[str, Rotation]:
    hip, apart, knee = _leg_angles(rng, style, swing)
    # Five degrees of the spread are already in the unposed body.
    thigh = turn(Z, sign * (apart - 5)) * turn(X, -hip) * turn(Y, sign * rng.triangular(-20, 0, 25))
    level = float(np.clip(-0.15 * (knee - hip), -20, 25))
    foot = turn(X, rng.triangular(-20, level, 25)) * turn(Z, rng.triangular(-12, 0, 12))
    return {f"upperleg01.{side}": thigh, f"lowerleg01.{side}": turn(X, knee), f"foot.{side}": foot}


def _leg_angles(rng: np.random.Generator, style: str, swing: float) -> tuple[float, float, float]:
    """Return hip flexion, spread and knee flexion; `swing` in [-1, 1] is the phase of a walking leg's stride."""
    if style == "stand":
        return rng.triangular(-8, 3, 25), rng.triangular(-2, 5, 20), rng.triangular(0, 3, 25)
    if style == "walk":
        hip = 30 * swing * rng.uniform(0.6, 1.3) + 5
        knee = 8 + (15 if swing > 0 else -45) * swing * rng.uniform(0.6, 1.6)
        return hip, rng.triangular(-3, 2, 10), knee
    if style == "squat":
        hip = rng.triangular(30, 70, 105)
        return hip, rng.triangular(0, 12, 35), hip * rng.uniform(0.9, 1.25)
    if style == "reach":
        return rng.triangular(-12, 8, 45), rng.triangular(0, 8, 30), rng.triangular(0, 10, 50)
    hip = rng.triangular(-20, 25, 100)
    return hip, rng.triangular(-5, 12, 40), min(0.55 * max(hip, 0) + rng.uniform(0, 60), 125)


def _shoulder_and_elbow(
    rng: np.random.Generator, style: str, side: str, sign: float, swing: float, arm: Arm
) -> dict[str, Rotation]:
    elevations, azimuths, elbows = _ARMS[style]
    elevation, azimuth = rng.triangular(*elevations), rng.triangular(*azimuths)
    if style == "walk":
        azimuth -= 25 * swing  # arms swing opposite to the legs
    whole = _shortest(arm.upper, _direction(elevation, azimuth, sign))
    # Raised arms move the shoulder girdle, too.
    share = whole.as_rotvec() * (0.25 if elevation > -30 else 0.1)
    half, girdle = Rotation.from_rotvec(share / 2), Rotation.from_rotvec(share)
    # Without inward roll, raised arms would all hang from the elbow like a scarecrow's.
    roll = rng.triangular(-25, 0, 25) if style in ("stand", "walk") else rng.triangular(-80, -15, 45)
    return {
        f"clavicle.{side}": half,
        f"shoulder01.{side}": half,
        f"upperarm01.{side}": girdle.inv() * whole * turn(arm.upper, sign * roll),
        f"lowerarm01.{side}": turn(arm.hinge, rng.triangular(*elbows) - arm.bend),
        f"lowerarm02.{side}": turn(arm.lower, rng.triangular(-50, 0, 50)),
    }


def _hand(rng: np.random.Generator, side: str, sign: float, arm: Arm) -> dict[str, Rotation]:
    curl = rng.triangular(0, 25, 75)
    turns = {f"wrist.{side}": turn(arm.hinge, rng.triangular(-30, 0, 40))}
    for finger in _FINGERS:
        for phalanx in (1, 2, 3):
            angle = curl * rng.uniform(0.8, 1.2) * (0.9 if phalanx < 3 else 0.6)
            turns[f"finger{finger}-{phalanx}.{side}"] = turn(arm.knuckles, -sign * angle)
    return turns | {f"finger1-{phalanx}.{side}": turn(arm.hinge, 0.25 * curl) for phalanx in (1, 2, 3)}


def _direction(elevation: float, azimuth: float, sign: float) -> np.ndarray:
    """Return a unit vector: azimuth 0 is to the side, 90 ahead; elevation 90 is up."""
    e, a = np.radians(elevation), np.radians(azimuth)
    return np.array([sign * np.cos(e) * np.cos(a), np.sin(e), np.cos(e) * np.sin(a)])


def _shortest(start: np.ndarray, end: np.ndarray) -> Rotation:
    """Return the shortest rotation between two unit vectors that are not opposite."""
    axis = np.cross(start, end)
    return Rotation.from_rotvec(_unit(axis) * np.arctan2(np.linalg.norm(axis), start @ end))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)
