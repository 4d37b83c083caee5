"""Motions of open bodies: walking, jumping, sitting down, and paths through poses of the bank.

A motion is a sequence of joint rotations that is the same for all bodies, and the height of the body's lowest point
above the floor. So the same motion of another body is the truth of its transfer. Angles are our own, in degrees, found
by drawing and looking; axes are those of `repose.synthetic.open_human.poses`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from repose.synthetic.motion import RATE, check_kind, stood, through
from repose.synthetic.open_human.poses import SIDES
from repose.synthetic.open_human.posing import skin_of, turn_bones
from repose.synthetic.open_human.recipe import Recipe
from repose.synthetic.open_human.turns import X, Z, turn

Float = NDArray[np.float64]

STEP_S = 1.1  # seconds of two steps of a walk
_ON_FLOOR = 0.03  # metres; a lower vertex is part of a sole
_HANGING = 50.0  # degrees from the arms of the unposed body down to the sides


def _walk(seconds: float, length: float) -> tuple[dict[str, Rotation], float]:
    """A walk: the legs swing in opposition, and the arms opposite to the legs; one foot is always down."""
    phase = 2 * np.pi * seconds / STEP_S
    turns: dict[str, Rotation] = {}
    for side, sign in SIDES:
        swing = np.sin(phase if sign > 0 else phase + np.pi)
        lifts = max(0.0, np.cos(phase if sign > 0 else phase + np.pi))
        turns |= _leg(side, hip=5 + 25 * swing, knee=8 + 45 * lifts)
        turns |= _arm(side, sign, ahead=-20 * swing, elbow=20)
    return turns, 0.0


def _jump(seconds: float, length: float) -> tuple[dict[str, Rotation], float]:
    """A jump: crouch, leap, land and rise, once."""
    share = seconds / length
    crouch = np.interp(share, [0, 0.3, 0.42, 0.6, 0.72, 1], [0, 1, 0, 0, 0.8, 0])
    flight = np.clip((share - 0.42) / 0.2, 0, 1)
    turns = {"spine03": turn(X, 25 * crouch)}
    for side, sign in SIDES:
        turns |= _leg(side, hip=3 + 70 * crouch, knee=3 + 85 * crouch)
        turns |= _arm(side, sign, ahead=60 * np.sin(np.pi * share), elbow=15)
    return turns, float(0.35 * 4 * flight * (1 - flight))


def _sit(seconds: float, length: float) -> tuple[dict[str, Rotation], float]:
    """Sit down on an invisible seat, and stay."""
    share = float(np.clip(1.4 * seconds / length, 0, 1))
    down = share**2 * (3 - 2 * share)
    turns = {"spine02": turn(X, 35 * np.sin(np.pi * share))}
    for side, sign in SIDES:
        turns |= _leg(side, hip=85 * down, knee=85 * down)
        turns |= _arm(side, sign, ahead=35 * down, elbow=10 + 50 * down)
    return turns, 0.0


def _leg(side: str, hip: float, knee: float) -> dict[str, Rotation]:
    return {
        f"upperleg01.{side}": turn(X, -hip),
        f"lowerleg01.{side}": turn(X, knee),
        f"foot.{side}": turn(X, np.clip(hip - knee, -25, 20)),
    }


def _arm(side: str, sign: float, ahead: float, elbow: float) -> dict[str, Rotation]:
    return {
        f"upperarm01.{side}": turn(X, -ahead) * turn(Z, -sign * _HANGING),
        f"lowerarm01.{side}": turn(X, -elbow),
    }


_MADE: dict[str, Callable[[float, float], tuple[dict[str, Rotation], float]]] = {
    "walk": _walk,
    "jump": _jump,
    "sit": _sit,
}
KINDS = (*_MADE, "poses")


def motion(
    recipe: Recipe, kind: str, identity: int, frames: int, seed: int = 0, among: Sequence[int] | None = None
) -> NDArray[np.float32]:
    """Return a motion of one body.

    Args:
        recipe: recipe of the dataset.
        kind: one of `KINDS`.
        identity: number of the body.
        frames: number of frames, at 30 per second.
        seed: for kind "poses", the seed of the choice of poses.
        among: numbers of the poses to choose from; None: all.

    Returns:
        (frames, V, 3) vertices in metres, y up, facing +z; the floor is y = 0.

    Raises:
        ReposeError: the kind or the body does not exist.
    """
    check_kind(kind, KINDS)
    skin = skin_of(recipe, identity)
    poses, heights = through(recipe.poses, frames, seed, among), np.zeros(frames)
    if kind in _MADE:
        poses, heights = _made(recipe, kind, frames)
    shapes = (skin.vertices(turn_bones(pose, recipe.bone_parents)) for pose in poses)
    return stood(shapes, heights, _ON_FLOOR)


def _made(recipe: Recipe, kind: str, frames: int) -> tuple[Float, Float]:
    """Return rotation vectors (T, J, 3) of the joints, and heights (T,) of the lowest point, metres."""
    number = {name: k for k, name in enumerate(recipe.bone_names.tolist())}
    poses, heights = np.zeros((frames, len(number), 3)), np.zeros(frames)
    for frame in range(frames):
        turned, heights[frame] = _MADE[kind](frame / RATE, frames / RATE)
        for name, rotation in turned.items():
            poses[frame, number[name]] = rotation.as_rotvec()
    return poses, heights
