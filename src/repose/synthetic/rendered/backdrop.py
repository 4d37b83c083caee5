"""The background of an image: a studio wall, or one of a few streets, each of which is the view of one camera."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from repose.synthetic.rendered.recipe import Shot


def studio(shot: Shot, height: int, width: int) -> NDArray[np.float32]:
    """Return a light wall (H, W, 3), slightly darker towards the corners and the floor."""
    rng = np.random.default_rng([shot.place, 1])
    wall = rng.uniform(0.8, 0.97) * (1 + rng.normal(0, 0.008, 3))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = y / height - rng.uniform(0.3, 0.6), x / width - rng.uniform(0.35, 0.65)
    shade = 1 - rng.uniform(0.03, 0.22) * (x * x + y * y) * 2
    floor = rng.uniform(0.34, 0.5)
    if shot.framing == "full" and rng.uniform() < 0.4:
        shade = shade * (1 - 0.08 / (1 + np.exp(-(y - floor) * 60)))
    return np.clip(wall * shade[..., None], 0, 1).astype(np.float32)


def street(shot: Shot, height: int, width: int, seed: int) -> NDArray[np.float32]:
    """Return a crop (H, W, 3) of the camera's view, which is moved from image to image."""
    view = _view(seed, shot.camera, 2 * height, 4 * width)
    rng = np.random.default_rng([shot.place, 2])
    top = int(rng.integers(height // 4, height // 2))
    left = int(rng.integers(0, 3 * width))
    window = view[top : top + height, left : left + width]
    return np.clip(window * rng.uniform(0.85, 1.1), 0, 1).astype(np.float32)


@lru_cache(maxsize=16)
def _view(seed: int, camera: int, height: int, width: int) -> NDArray[np.float32]:
    """Draw ground and wall, and upright objects in front of the wall."""
    rng = np.random.default_rng([seed, camera, 3])
    ground = rng.uniform(0.35, 0.65) * (1 + rng.normal(0, 0.05, 3))
    wall = _dull(rng, 0.3, 0.8)
    horizon = int(height * rng.uniform(0.42, 0.55))
    view = np.empty((height, width, 3))
    view[:horizon], view[horizon:] = wall, ground
    for _ in range(int(rng.integers(8, 18))):
        left, wide = int(rng.integers(-8, width)), int(rng.integers(width // 40 + 1, width // 8 + 2))
        tall = int(horizon * rng.uniform(0.15, 0.8))
        bottom = horizon + int(rng.integers(0, height // 6))
        colour = _dull(rng, 0.08, 0.85)
        view[max(0, bottom - tall) : bottom, max(0, left) : max(0, left + wide)] = colour
    grass = rng.uniform() < 0.4
    if grass:
        edge = horizon + int(height * rng.uniform(0.1, 0.25))
        view[horizon:edge] = np.array([0.3, 0.42, 0.2]) * rng.uniform(0.7, 1.2)
    view = gaussian_filter(view, (height / 160, height / 160, 0))
    grain = zoom(rng.normal(size=(height // 8 + 1, width // 8 + 1)), 8, order=1)[:height, :width]
    view *= 1 + 0.05 * grain[..., None] + 0.04 * rng.normal(size=(height, width, 1))
    return view.astype(np.float32)


def _dull(rng: np.random.Generator, low: float, high: float) -> NDArray[np.float64]:
    """Draw a colour that is close to grey."""
    return np.clip(rng.uniform(low, high) * (1 + rng.normal(0, 0.07, 3)), 0, 1)
