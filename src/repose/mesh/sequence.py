"""Measures of a body that moves: whether it trembles, or slides over the floor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.floating]  # (T, V, 3) metres, y up


def jitter(frames: Frames, rate: float) -> float:
    """Mean acceleration of the vertices, m/s²; NaN of fewer than three frames.

    Args:
        frames: (T, V, 3) metres.
        rate: frames a second.
    """
    if len(frames) < 3:
        return float("nan")
    bent = frames[2:] - 2 * frames[1:-1] + frames[:-2]
    return float(np.linalg.norm(bent, axis=2).mean() * rate**2)


def foot_slide(frames: Frames, rate: float, floor: float, near: float) -> float:
    """How fast what stands on the floor goes over it, in the mean, m/s; NaN if nothing ever stands.

    Args:
        frames: (T, V, 3) metres, y up.
        rate: frames a second.
        floor: its height, metres.
        near: vertices lower than this above the floor, in two frames, stand on it; metres.
    """
    low = frames[:, :, 1] <= floor + near
    stands = low[1:] & low[:-1]
    if not stands.any():
        return float("nan")
    ways = np.linalg.norm(np.diff(frames[:, :, [0, 2]], axis=0), axis=2)
    return float(ways[stands].mean() * rate)
