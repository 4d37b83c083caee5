"""Measures of motions against plain formulas."""

import numpy as np
import pytest

from repose.mesh.sequence import (
    acceleration_error,
    below_floor_mm,
    foot_slide,
    jitter,
    mean_error_mm,
    slide_cm_s,
    smoothed,
)

REST = np.random.default_rng(0).normal(size=(5, 3))
UP = np.array([0.0, 1.0, 0.0])


def test_jitter_is_the_acceleration_of_a_fall_and_none_of_a_steady_way():
    seconds = np.arange(6)[:, None, None] / 30
    falling = REST - 0.5 * 9.81 * seconds**2 * [0, 1, 0] + seconds * [3, 0, 0]
    assert jitter(falling, 30) == pytest.approx(9.81)
    assert jitter(REST + seconds * [3, 0, 0], 30) == pytest.approx(0, abs=1e-9)
    assert np.isnan(jitter(falling[:2], 30))


def test_only_what_is_low_in_two_frames_slides():
    frames = np.zeros((4, 3, 3))
    frames[:, 1, 1] = 1  # never down
    frames[:, 2, 1] = [0, 1, 0, 1]  # down in every other frame
    frames[:, :, 2] = np.arange(4)[:, None] * [0.1, 9, 9]
    assert foot_slide(frames, 10, 0, 0.02) == pytest.approx(1.0)
    assert np.isnan(foot_slide(frames, 10, -1, 0.02))


def test_a_prediction_is_held_to_where_and_when_the_truth_stands():
    truth = np.zeros((4, 3, 3))
    truth[:, 2, 1] = 2.0  # a head, so that 4 cm are near the floor
    truth[:, 1, 1] = [0, 1, 0, 1]
    predicted = truth + np.arange(4)[:, None, None] * [0.01, 0, 0] - [0, 0.005, 0]
    assert slide_cm_s(predicted, truth, 10) == pytest.approx(10)
    assert np.isnan(slide_cm_s(predicted, truth + UP, 10))
    assert below_floor_mm(predicted) == pytest.approx(5) and below_floor_mm(predicted + UP) == 0
    assert acceleration_error(predicted, truth, 10) == pytest.approx(0, abs=1e-9)
    assert mean_error_mm(predicted[:1], truth[:1]) == pytest.approx(5)


def test_smoothing_keeps_what_is_still_and_stills_what_trembles():
    still = np.repeat(REST[None], 9, axis=0) + np.arange(9)[:, None, None] * [1, 0, 0]
    assert np.allclose(smoothed(still, 2), REST - REST.mean(0))
    rough = still + np.random.default_rng(1).normal(0, 0.1, still.shape)
    assert jitter(smoothed(rough, 1.5), 30) < 0.2 * jitter(smoothed(rough, 0), 30)
    assert np.allclose(smoothed(rough, 0), rough - rough.mean(axis=1, keepdims=True))
