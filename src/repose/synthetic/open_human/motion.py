"""Motions of open bodies: walking, jumping, sitting down, and ways through poses of the bank.

A motion is rotations of the joints over time, the same for all bodies, and a height of the body's lowest point above
the floor. So the same motion of another body is the truth of its transfer. Angles are our own, in degrees, found by
drawing and looking; axes are those of `repose.synthetic.open_human.poses`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

from repose.errors import ReposeError
from repose.provenance.publish import publish
from repose.synthetic.open_human.poses import SIDES, X, Z, turn
from repose.synthetic.open_human.posing import skin_of, turn_bones
from repose.synthetic.open_human.recipe import Recipe

Float = NDArray[np.float64]

RATE = 30.0  # frames a second
STOPS = 4  # poses of the bank on a way
STEP_S = 1.1  # of two steps of a walk
_ON_FLOOR = 0.03  # metres: a sole
_HANGING = 50.0  # degrees from the arms of the unposed body down to the sides


def _walk(seconds: float, length: float) -> tuple[dict[str, Rotation], float]:
    """Legs swing against each other, arms against the legs; one foot is always down."""
    phase = 2 * np.pi * seconds / STEP_S
    turns: dict[str, Rotation] = {}
    for side, sign in SIDES:
        swing = np.sin(phase if sign > 0 else phase + np.pi)
        lifts = max(0.0, np.cos(phase if sign > 0 else phase + np.pi))
        turns |= _leg(side, hip=5 + 25 * swing, knee=8 + 45 * lifts)
        turns |= _arm(side, sign, ahead=-20 * swing, elbow=20)
    return turns, 0.0


def _jump(seconds: float, length: float) -> tuple[dict[str, Rotation], float]:
    """Crouch, leap, land and rise, once."""
    share = seconds / length
    crouch = np.interp(share, [0, 0.3, 0.42, 0.6, 0.72, 1], [0, 1, 0, 0, 0.8, 0])
    flight = np.clip((share - 0.42) / 0.2, 0, 1)
    turns = {"spine03": turn(X, 25 * crouch)}
    for side, sign in SIDES:
        turns |= _leg(side, hip=3 + 70 * crouch, knee=3 + 85 * crouch)
        turns |= _arm(side, sign, ahead=60 * np.sin(np.pi * share), elbow=15)
    return turns, float(0.35 * 4 * flight * (1 - flight))


def _sit(seconds: float, length: float) -> tuple[dict[str, Rotation], float]:
    """Sit down on what is not there, and stay."""
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


KINDS: dict[str, Callable[[float, float], tuple[dict[str, Rotation], float]]] = {
    "walk": _walk,
    "jump": _jump,
    "sit": _sit,
}


def motion(recipe: Recipe, kind: str, identity: int, frames: int, seed: int = 0) -> NDArray[np.float32]:
    """A motion of one body.

    Args:
        recipe: of the dataset.
        kind: "walk", "jump", "sit", or "poses".
        identity: number of the body.
        frames: how many, at 30 a second.
        seed: which poses of the bank are gone through.

    Returns:
        (frames, V, 3) vertices in metres, y up, facing +z; the floor is y = 0.

    Raises:
        ReposeError: another kind, or no such body.
    """
    if kind not in (*KINDS, "poses"):
        raise ReposeError(f"no motion {kind!r}", hint=f"there are {', '.join(KINDS)} and poses")
    skin = skin_of(recipe, identity)
    found: list[NDArray[np.float32]] = []
    for pose, height in zip(*_poses(recipe, kind, frames, seed), strict=True):
        vertices = skin.vertices(turn_bones(pose, recipe.bone_parents))
        vertices[:, 1] += height - vertices[:, 1].min()
        if found:
            vertices[:, [0, 2]] -= _slip(found[-1], vertices)
        found.append(vertices)
    return np.stack(found)


def _slip(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float32]:  # (2,)
    """How far what stands on the floor would go over it, along x and z; 0 in the air."""
    stands = (before[:, 1] < _ON_FLOOR) & (after[:, 1] < _ON_FLOOR)
    if not stands.any():
        return np.zeros(2, np.float32)
    slip: NDArray[np.float32] = (after - before)[stands][:, [0, 2]].mean(axis=0)
    return slip


def _poses(recipe: Recipe, kind: str, frames: int, seed: int) -> tuple[Float, Float]:
    """Rotation vectors (T, J, 3) of the joints, and heights (T,) of the lowest point, metres."""
    seconds = np.arange(frames) / RATE
    if kind == "poses":
        stops = np.random.default_rng(seed).choice(
            len(recipe.poses), min(STOPS, len(recipe.poses)), replace=False
        )
        at = np.linspace(0, len(stops) - 1, frames)
        ways = [
            Slerp(np.arange(len(stops)), Rotation.from_rotvec(poses))
            for poses in recipe.poses[stops].astype(np.float64).swapaxes(0, 1)  # a joint each
        ]
        return np.stack([way(at).as_rotvec() for way in ways], axis=1), np.zeros(frames)
    number = {name: k for k, name in enumerate(recipe.bone_names.tolist())}
    poses, heights = np.zeros((frames, len(number), 3)), np.zeros(frames)
    for frame, second in enumerate(seconds):
        turned, heights[frame] = KINDS[kind](float(second), frames / RATE)
        for name, rotation in turned.items():
            poses[frame, number[name]] = rotation.as_rotvec()
    return poses, heights


def write_motion(recipe: Path, kind: str, out: Path, identity: int, frames: int, seed: int) -> None:
    """Write a motion as a .npz of vertices, faces and rate.

    Raises:
        ReposeError: no recipe, or as `motion`.
    """
    read = Recipe.read(recipe)
    vertices = motion(read, kind, identity, frames, seed)
    with publish(out) as private, private.open("wb") as file:
        np.savez_compressed(file, vertices=vertices, faces=read.faces, rate=np.float64(RATE))
    print(f"{out}: {frames} frames at {RATE:g} a second of body {identity}, {vertices.shape[1]:,} vertices")
