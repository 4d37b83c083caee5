"""Place the camera of a shot so that the person fills the frame."""

import numpy as np
from numpy.typing import NDArray

from repose.images.correspondence import Camera
from repose.synthetic.rendered.recipe import Shot

DISTANCE = 3.6  # metres from the camera to the middle of the body


def into_camera(points: NDArray, middle: NDArray, shot: Shot) -> NDArray[np.float64]:
    """Convert points (N, 3) from the body's frame to the camera's; the camera looks at `middle`."""
    return (points - middle) @ turn(shot).T + [0, 0, DISTANCE]


def turn(shot: Shot) -> NDArray[np.float64]:
    """Return the rotation (3, 3) from the body's axes (y up, facing +z) to the camera's (y down, z ahead)."""
    yaw, pitch = np.radians(shot.yaw), np.radians(shot.pitch)
    c, s = np.cos(yaw), np.sin(yaw)
    about_y = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    c, s = np.cos(pitch), np.sin(pitch)
    about_x = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return np.diag([1.0, -1, -1]) @ about_x @ about_y


def fit(points: NDArray, shot: Shot, height: int, width: int) -> Camera:
    """Return the camera that shows points (N, 3) of its frame at the size that the shot asks for."""
    flat = points[:, :2] / points[:, 2:]
    low, high = flat.min(axis=0), flat.max(axis=0)
    across, tall = high - low
    focal = min(shot.fill * height / tall, 0.97 * width / across)
    if shot.framing == "upper":  # arms may leave the frame
        focal = shot.fill * height / tall
    spare = np.maximum(np.array([width, height]) - focal * (high - low), 0)
    centre = np.array([width - 1, height - 1]) / 2 + np.array(shot.shift) * spare / 2
    x, y = centre - focal * (low + high) / 2
    return Camera(float(focal), float(x), float(y))
