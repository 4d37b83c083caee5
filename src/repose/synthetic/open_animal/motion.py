"""Motions of open animals: a walk, and paths through poses of the bank.

As for open people, a motion is a sequence of joint rotations that is the same for all bodies, so the same motion of
another animal is the truth of its transfer. Angles are our own, in degrees, found by drawing and looking; axes are
those of `repose.synthetic.open_animal.poses`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from repose.errors import ReposeError
from repose.mesh.sequence import ON_FLOOR
from repose.synthetic.motion import RATE, check_kind, stood, through
from repose.synthetic.open_animal.anatomy import NAMES, SIDES
from repose.synthetic.open_animal.posing import pose_skin
from repose.synthetic.open_animal.recipe import Recipe

KINDS = ("walk", "poses")
STRIDE_S = 1.2  # seconds in which each foot steps once
_SWING, _LIFT = 20.0, 55.0  # degrees; with less lift, feet would drag over the floor as they come forward


def motion(
    recipe: Recipe, kind: str, identity: int, frames: int, seed: int = 0, among: Sequence[int] | None = None
) -> NDArray[np.float32]:
    """Return a motion of one animal; see `repose.synthetic.open_human.motion.motion`."""
    check_kind(kind, KINDS)
    if not 0 <= identity < len(recipe.rest_vertices):
        last = len(recipe.rest_vertices) - 1
        raise ReposeError(f"there is no identity {identity}", "open-animal", f"the recipe has 0 to {last}")
    poses = _walk(frames) if kind == "walk" else through(recipe.poses, frames, seed, among)
    rest, heads = recipe.rest_vertices[identity].astype(np.float64), recipe.bone_heads[identity]
    bones, shares = recipe.skin_bones.astype(np.int64), recipe.skin_weights.astype(np.float64)
    shapes = pose_skin(rest, heads, bones, shares, poses)
    return stood(shapes, np.zeros(frames), ON_FLOOR * np.ptp(rest[:, 1]))


def _walk(frames: int) -> NDArray[np.float64]:  # (T, J, 3)
    """A walk: a hind leg and the opposite fore leg step together, then the other two; the head nods."""
    number = {name: k for k, name in enumerate(NAMES)}
    pitches = np.zeros((frames, len(NAMES)))
    phase = 2 * np.pi * np.arange(frames) / RATE / STRIDE_S
    for side, sign in SIDES.items():
        for leg, lag in ((_hind_leg, 0.0), (_fore_leg, np.pi)):
            own = phase - lag - (np.pi if sign < 0 else 0.0)
            back, lift = -_SWING * np.sin(own), _LIFT * np.maximum(0, np.cos(own))
            for name, pitch in leg(back, lift).items():
                pitches[:, number[f"{name}.{side}"]] = pitch
    pitches[:, number["neck1"]] = 3 * np.sin(2 * phase)
    return np.radians(pitches)[:, :, None] * [1, 0, 0]


def _hind_leg(back: NDArray[np.float64], lift: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    thigh, shin, ankle = 0.9 * back - 0.7 * lift, 1.15 * lift + 0.12 * back, -0.75 * lift
    return {"thigh": thigh, "shin": shin, "ankle": ankle, "foot": 0.6 * lift - 0.5 * back}


def _fore_leg(back: NDArray[np.float64], lift: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    scapula, arm, wrist = 0.3 * back - 0.15 * lift, 0.7 * back - 0.35 * lift, 1.35 * lift
    return {
        "scapula": scapula,
        "arm": arm,
        "forearm": -0.25 * lift,
        "wrist": wrist,
        "hand": 0.5 * lift - 0.4 * back,
    }
