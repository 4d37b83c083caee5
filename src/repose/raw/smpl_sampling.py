"""The sampling of SMPL-NPT's bodies (Wang et al., CVPR 2020): 35 uniform numbers per pose, in a fixed order.

Poses p < 400 use the "bent" sampler, the others the "straight" one, which keeps the legs together. Angles in degrees
are used directly as components of axis-angle vectors. The order and the ranges are those of the released generator
(`data_generation.py` of Neural-Pose-Transfer), which always gives the lower end of a range first.
"""

import random
from functools import cache

import numpy as np

JOINTS = 24
BENT_POSES = 400
X, Y, Z = range(3)
# the (joint, axis) places that the number is used for, low, high
Draw = tuple[tuple[tuple[int, int], ...], float, float]


def betas(identity: int) -> np.ndarray:
    """Return the shape of an identity: uniform in [-4, 4), from numpy's legacy generator, which was used.

    Returns:
        (10,) float64, in the model's own units.
    """
    return 8 * (np.random.RandomState(10 * identity).random_sample(10) - 0.5)


def pose(number: int) -> np.ndarray:
    """Return the axis-angle vectors of a pose.

    Returns:
        (24, 3) float64 in radians.
    """
    numbers = random.Random(number)
    degrees = np.zeros((JOINTS, 3))
    for places, low, high in draws(number < BENT_POSES):
        value = numbers.uniform(low, high)
        for place in places:
            degrees[place] = value
    return np.radians(degrees)


@cache
def draws(is_bent: bool) -> tuple[Draw, ...]:
    """Return the 35 draws of a pose in order, each with the places of its number and its range in degrees."""
    wrist = 20 if is_bent else 10
    apart, knee = (40, 100) if is_bent else (5, 10)
    left_ankle = (-10, 10 if is_bent else 20)
    ankle = ((-10, 10), (-1, 1))
    return (
        *_arm(13, 16, 18, (-60, 0)),
        *_each(20, (-wrist, wrist), (-wrist, wrist), (-wrist, wrist)),
        *_each(22, (-5, 5), (0, 10), (-10, 0)),
        *_arm(14, 17, 19, (0, 60)),
        *_each(21, (-wrist, wrist), (-wrist, wrist), (-wrist, wrist)),
        *_each(23, (-5, 5), (-10, 0), (0, 10)),
        *_leg(1, 4, (0, apart), knee),
        *_each(7, left_ankle, *ankle),
        *_leg(2, 5, (-apart, 0), knee),
        *_each(8, (-10, 10), *ankle),
        _all((12, 15)),  # neck and head
        _all((3, 6, 9)),  # spine
        *_each(0, (-2, 2), (-2, 2), (-2, 2)),
    )


def _arm(collar: int, shoulder: int, elbow: int, bend: tuple[float, float]) -> list[Draw]:
    """Return three draws: collar and shoulder share the first two, the third bends the elbow."""
    both = [(((collar, axis), (shoulder, axis)), -30, 30) for axis in (Y, Z)]
    return [*both, (((elbow, Y),), *bend)]


def _leg(hip: int, knee: int, apart: tuple[float, float], bend: float) -> list[Draw]:
    return [(((hip, X),), -90, 0), (((hip, Z),), *apart), (((knee, X),), 0, bend)]


def _each(joint: int, *ranges: tuple[float, float]) -> list[Draw]:
    return [(((joint, axis),), low, high) for axis, (low, high) in enumerate(ranges)]


def _all(joints: tuple[int, ...]) -> Draw:
    """Return one draw, whose number is used for all components of some joints."""
    return tuple((joint, axis) for joint in joints for axis in (X, Y, Z)), -1, 1
