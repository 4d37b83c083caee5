"""Poses that bend far: on the knees, on the ground, crouched, a leg in the air, arms folded or above the head.

Poses of `repose.synthetic.open_human.poses` are of bodies on their feet. A matcher trained only on those takes a
kneeling person for one who faces the other way, and one trained without arms above the head takes these for legs
(docs/canonical.md). Real bodies touch themselves in the poses here, so a share of the faces may.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from repose.synthetic.open_human.turns import X, Y, turn

Range = tuple[float, float, float]  # lowest, most likely, highest, degrees

MOST_TOUCHING = 0.04  # share of a body's faces that may intersect others
STYLES = {
    "kneel": 0.17,
    "half-kneel": 0.12,
    "cross-legged": 0.12,
    "sit": 0.08,
    "crouch": 0.12,
    "kick": 0.09,
    "fold": 0.12,
    "overhead": 0.18,
}
TRUNK: dict[str, Range] = {
    "kneel": (-20, 5, 60),
    "half-kneel": (-10, 15, 50),
    "cross-legged": (-5, 15, 45),
    "sit": (-20, 10, 50),
    "crouch": (10, 30, 60),
    "kick": (-20, 5, 50),
    "fold": (-10, 0, 30),
    "overhead": (-20, 0, 35),
}
# Angles of an arm: elevation, azimuth, and bending of the elbow.
_ANYHOW: tuple[Range, ...] = (-80, -20, 80), (-25, 40, 105), (0, 45, 125)
_TO_THE_GROUND: tuple[Range, ...] = (-88, -65, -30), (20, 75, 105), (0, 15, 60)
_FOLDED: tuple[Range, ...] = (-60, -35, 0), (75, 105, 135), (50, 90, 125)
_OVERHEAD: tuple[Range, ...] = (40, 75, 89), (-30, 30, 105), (0, 25, 110)
ARMS = {style: _ANYHOW for style in STYLES} | {
    "crouch": _TO_THE_GROUND,
    "fold": _FOLDED,
    "overhead": _OVERHEAD,
}


@dataclass(frozen=True)
class Leg:
    """Ranges of a leg's angles.

    Attributes:
        hip: forward bending of the thigh.
        spread: rotation outwards after that, about the vertical.
        twist: rotation about its own axis, with the shin inwards.
        knee: bending of the knee.
        foot: angle of the toes downwards.
    """

    hip: Range
    spread: Range
    twist: Range
    knee: Range
    foot: Range


# The leading leg, and the other one.
LEGS = {
    "kneel": (
        Leg((-15, 5, 95), (-5, 8, 30), (-10, 0, 15), (75, 95, 140), (-30, 45, 65)),
        Leg((-15, 5, 95), (-5, 8, 30), (-10, 0, 15), (75, 95, 140), (-30, 45, 65)),
    ),
    "half-kneel": (
        Leg((65, 90, 120), (-5, 10, 35), (-10, 0, 15), (60, 95, 130), (-20, 0, 20)),
        Leg((-20, 5, 40), (-5, 5, 25), (-10, 0, 15), (70, 95, 130), (-30, 30, 60)),
    ),
    "cross-legged": (
        Leg((70, 85, 105), (35, 50, 70), (40, 70, 90), (85, 105, 120), (0, 25, 50)),
        Leg((70, 85, 105), (35, 50, 70), (40, 70, 90), (110, 125, 140), (0, 25, 50)),
    ),
    "sit": (
        Leg((65, 85, 110), (-5, 10, 45), (-15, 0, 30), (0, 10, 110), (-10, 15, 45)),
        Leg((65, 85, 110), (-5, 10, 45), (-15, 0, 30), (0, 40, 120), (-10, 15, 45)),
    ),
    "crouch": (
        Leg((70, 95, 115), (5, 20, 40), (-10, 0, 15), (70, 100, 120), (-25, -10, 20)),
        Leg((30, 65, 105), (5, 20, 40), (-10, 0, 15), (60, 90, 120), (-30, 0, 30)),
    ),
    "kick": (
        Leg((40, 80, 115), (-5, 30, 85), (-25, 0, 25), (0, 5, 60), (-10, 15, 45)),
        Leg((-20, 30, 100), (-5, 15, 50), (-15, 0, 30), (10, 60, 130), (-20, 10, 40)),
    ),
    "fold": (
        Leg((-10, 3, 90), (-3, 5, 20), (-15, 0, 20), (0, 5, 90), (-15, 0, 15)),
        Leg((-10, 3, 90), (-3, 5, 20), (-15, 0, 20), (0, 5, 90), (-15, 0, 15)),
    ),
    "overhead": (
        Leg((-10, 5, 85), (-3, 8, 75), (-10, 0, 70), (0, 5, 135), (-10, 5, 45)),
        Leg((-15, 3, 30), (-3, 6, 20), (-15, 0, 20), (0, 5, 40), (-15, 0, 15)),
    ),
}


def leg(rng: np.random.Generator, style: str, side: str, sign: float, leads: bool) -> dict[str, Rotation]:
    """Draw the rotations of one leg's bones."""
    ranges = LEGS[style][0 if leads else 1]
    hip, spread, twist, knee, foot = (
        rng.triangular(*drawn)
        for drawn in (ranges.hip, ranges.spread, ranges.twist, ranges.knee, ranges.foot)
    )
    thigh = turn(Y, sign * spread) * turn(X, -hip) * turn(Y, sign * twist)
    return {
        f"upperleg01.{side}": thigh,
        f"lowerleg01.{side}": turn(X, knee),
        f"foot.{side}": turn(X, foot),
    }
