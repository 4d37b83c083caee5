"""Measures of motions against plain formulas."""

import numpy as np
import pytest

from repose.mesh.sequence import foot_slide, jitter

REST = np.random.default_rng(0).normal(size=(5, 3))


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
