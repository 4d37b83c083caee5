"""Measures of a moving body (jitter, foot sliding, errors against a true motion), and smoothing over time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Frames = NDArray[np.floating]  # (T, V, 3) metres, y up

ON_FLOOR = 0.02  # share of a body's height; lower vertices stand on the floor


def jitter(frames: Frames, rate: float) -> float:
    """Return the mean acceleration of the vertices, m/s²; NaN for fewer than three frames.

    Args:
        frames: (T, V, 3) metres.
        rate: frames per second.
    """
    if len(frames) < 3:
        return float("nan")
    bent = frames[2:] - 2 * frames[1:-1] + frames[:-2]
    return float(np.linalg.norm(bent, axis=2).mean() * rate**2)


def acceleration_error(predicted: Frames, truth: Frames, rate: float) -> float:
    """Return the mean difference of the accelerations of vertices, m/s²; NaN for fewer than three frames.

    Args:
        predicted, truth: (T, V, 3) metres.
        rate: frames per second.
    """
    return jitter(predicted - truth, rate)


def foot_slide(frames: Frames, rate: float, floor: float, near: float) -> float:
    """Return the mean sliding speed of vertices that stand on the floor, m/s; NaN if none ever does.

    Args:
        frames: (T, V, 3) metres, y up.
        rate: frames per second.
        floor: height of the floor, metres.
        near: vertices that are lower than this above the floor in two successive frames stand on it; metres.
    """
    low = frames[:, :, 1] <= floor + near
    return _slide(frames, low, rate)


def _slide(frames: Frames, low: NDArray[np.bool_], rate: float) -> float:
    """Return the mean speed of vertices that are low (T, V) in two successive frames, m/s; NaN if none is."""
    stands = low[1:] & low[:-1]
    if not stands.any():
        return float("nan")
    ways = np.linalg.norm(np.diff(frames[:, :, [0, 2]], axis=0), axis=2)
    return float(ways[stands].mean() * rate)


def slide_cm_s(predicted: Frames, truth: Frames, rate: float) -> float:
    """Return the mean sliding speed of vertices that truly stand on the floor, y = 0, cm/s; NaN if none does.

    Args:
        predicted, truth: (T, V, 3) metres, y up.
        rate: frames per second.
    """
    low = truth[:, :, 1] <= ON_FLOOR * np.ptp(truth[0, :, 1])
    return 100 * _slide(predicted, low, rate)


def below_floor_mm(predicted: Frames) -> float:
    """Return the mean distance of each frame's (T, V, 3) lowest vertex below the floor, y = 0, in mm."""
    return float(np.maximum(-predicted[:, :, 1].min(axis=1), 0).mean() * 1000)


def mean_error_mm(predicted: Frames, truth: Frames) -> float:
    """Return the mean distance of the vertices of all frames (T, V, 3) to the truth, in mm."""
    return float(np.linalg.norm(predicted - truth, axis=2).mean() * 1000)


def smoothed(shapes: Frames, sigma: float) -> Frames:
    """Smooth shapes (T, V, 3), each about its mean, over time by a Gaussian.

    Args:
        shapes: at any position; the mean of each result is the origin.
        sigma: standard deviation of the Gaussian in frames; 0 leaves the shapes unchanged.
    """
    about = shapes - shapes.mean(axis=1, keepdims=True)
    return about if sigma == 0 else gaussian_filter1d(about, sigma, axis=0, mode="nearest")
