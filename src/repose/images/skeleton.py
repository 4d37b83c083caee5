"""The mask of a person from its joints, which the evaluation on Market-1501 uses instead of a segmentation."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing

LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
    (0, 14), (14, 16), (0, 15), (15, 17), (1, 16), (1, 17), (8, 11), (11, 5), (8, 2), (16, 17),
)  # fmt: skip
# Values for Market-1501; the radius, and half the side of the closing, scale with the height.
_HEIGHT, _RADIUS, _REACH = 128, 4, 2


def skeleton_mask(
    joints: NDArray,  # (18, 3): x, y in pixels, seen
    size: tuple[int, int],  # height, width
) -> NDArray[np.bool_]:  # (H, W)
    """Return discs at the joints and bars between them, closed by a square, at 128 pixels as published.

    The released code mixes up rows and columns (x for the row, y for the column); this function does not.
    """
    height, width = size
    radius = max(1, round(_RADIUS * height / _HEIGHT))
    place = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float64)
    mask = np.zeros(size, bool)
    for x, y, seen in joints:
        if seen:
            mask |= np.linalg.norm(place - (x, y), axis=-1) <= radius
    for a, b in LIMBS:
        if joints[a, 2] and joints[b, 2]:
            mask |= _bar(place, joints[a, :2].astype(np.float64), joints[b, :2].astype(np.float64), radius)
    side = 2 * max(1, round(_REACH * height / _HEIGHT)) + 1
    # Padded, so that pixels outside the frame do not erode the mask.
    return binary_closing(np.pad(mask, side), np.ones((side, side)))[side:-side, side:-side]


def _bar(place: NDArray, start: NDArray, end: NDArray, radius: float) -> NDArray[np.bool_]:
    length = np.linalg.norm(end - start)
    if length == 0:
        return np.zeros(place.shape[:2], bool)
    along = (place - start) @ ((end - start) / length)
    across = (place - start) @ (np.array([start[1] - end[1], end[0] - start[0]]) / length)
    return (along >= 0) & (along <= length) & (np.abs(across) <= radius)
