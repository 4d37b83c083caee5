"""A body that moves: whether it trembles, or slides over the floor; smoothed over time, and against a true motion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Frames = NDArray[np.floating]  # (T, V, 3) metres, y up

ON_FLOOR = 0.02  # of a body's height: what is lower stands on the floor


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


def acceleration_error(predicted: Frames, truth: Frames, rate: float) -> float:
    """Mean difference of the accelerations of vertices, m/s²; NaN of fewer than three frames.

    Args:
        predicted, truth: (T, V, 3) metres.
        rate: frames a second.
    """
    return jitter(predicted - truth, rate)


def foot_slide(frames: Frames, rate: float, floor: float, near: float) -> float:
    """How fast what stands on the floor goes over it, in the mean, m/s; NaN if nothing ever stands.

    Args:
        frames: (T, V, 3) metres, y up.
        rate: frames a second.
        floor: its height, metres.
        near: vertices lower than this above the floor, in two frames, stand on it; metres.
    """
    low = frames[:, :, 1] <= floor + near
    return _slide(frames, low, rate)


def _slide(frames: Frames, low: NDArray[np.bool_], rate: float) -> float:
    """How fast vertices that are low (T, V) in two frames go over the floor, in the mean, m/s; NaN if none are."""
    stands = low[1:] & low[:-1]
    if not stands.any():
        return float("nan")
    ways = np.linalg.norm(np.diff(frames[:, :, [0, 2]], axis=0), axis=2)
    return float(ways[stands].mean() * rate)


def slide_cm_s(predicted: Frames, truth: Frames, rate: float) -> float:
    """How fast what stands on the floor, y = 0, in truth goes over it in the prediction, cm/s; NaN if nothing does.

    Args:
        predicted, truth: (T, V, 3) metres, y up.
        rate: frames a second.
    """
    low = truth[:, :, 1] <= ON_FLOOR * np.ptp(truth[0, :, 1])
    return 100 * _slide(predicted, low, rate)


def below_floor_mm(predicted: Frames) -> float:
    """How far the lowest vertex of a frame (T, V, 3) is below the floor, y = 0, in the mean, mm."""
    return float(np.maximum(-predicted[:, :, 1].min(axis=1), 0).mean() * 1000)


def mean_error_mm(predicted: Frames, truth: Frames) -> float:
    """Mean distance of vertices of all frames (T, V, 3) from where they are in truth, mm."""
    return float(np.linalg.norm(predicted - truth, axis=2).mean() * 1000)


def smoothed(shapes: Frames, sigma: float) -> Frames:
    """Shapes (T, V, 3), each about its mean, averaged with those before and after by a Gaussian.

    Args:
        shapes: wherever they are; the results have the origin as their mean.
        sigma: of the Gaussian, frames; 0 leaves the shapes as they are.
    """
    about = shapes - shapes.mean(axis=1, keepdims=True)
    return about if sigma == 0 else gaussian_filter1d(about, sigma, axis=0, mode="nearest")
