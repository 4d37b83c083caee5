"""Rotations about the axes of a body: x to its left, y up, z ahead."""

import numpy as np
from scipy.spatial.transform import Rotation

X, Y, Z = np.eye(3)


def turn(axis: np.ndarray, degrees: float) -> Rotation:
    """Return the rotation about an axis (3,) of length 1."""
    return Rotation.from_rotvec(np.radians(degrees) * axis)
