"""Distances of sets of features, against plain maths."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from repose.images.sets import frechet_distance, kernel_distance


def drawn(count, scale, shift, seed):
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(7).normal(size=(4, 4))
    return rng.normal(size=(count, 4)) @ mixing * scale + shift


def test_the_frechet_distance_is_that_of_the_textbook():
    a, b = drawn(40, 1.0, 0.0, 0), drawn(60, 1.7, 0.5, 1) + drawn(60, 0.3, 0.0, 2) ** 2
    first, second = np.cov(a.T), np.cov(b.T)
    apart = np.square(a.mean(0) - b.mean(0)).sum()
    expected = apart + np.trace(first + second - 2 * sqrtm(first @ second).real)
    assert frechet_distance(torch.tensor(a), torch.tensor(b)) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(torch.tensor(b), torch.tensor(a)) == pytest.approx(expected, rel=1e-9)


def test_a_set_is_no_distance_from_itself_even_if_a_feature_is_dead():
    a = drawn(40, 1.0, 3.0, 0)
    a[:, 2] = 1
    assert frechet_distance(torch.tensor(a), torch.tensor(a)) == pytest.approx(0, abs=1e-9)
    moved = torch.tensor(a + np.array([0, 0, 2, 0]))
    assert frechet_distance(torch.tensor(a), moved) == pytest.approx(4, rel=1e-9)


def test_the_kernel_distance_is_a_mean_over_pairs():
    a, b = drawn(5, 1.0, 0.0, 0), drawn(7, 1.2, 0.3, 1)

    def kernel(x, y):
        return (float(x @ y) / 4 + 1) ** 3

    among = [
        np.mean([kernel(x, y) for i, x in enumerate(s) for j, y in enumerate(s) if i != j]) for s in (a, b)
    ]
    across = np.mean([kernel(x, y) for x in a for y in b])
    expected = among[0] + among[1] - 2 * across
    assert kernel_distance(torch.tensor(a), torch.tensor(b)) == pytest.approx(expected, rel=1e-12)


def test_the_kernel_distance_of_one_distribution_is_zero_on_average():
    same = [
        kernel_distance(torch.tensor(drawn(12, 0.3, 0, k)), torch.tensor(drawn(12, 0.3, 0, 100 + k)))
        for k in range(200)
    ]
    other = kernel_distance(torch.tensor(drawn(12, 0.3, 0, 0)), torch.tensor(drawn(12, 0.3, 1.0, 1)))
    error = np.std(same) / np.sqrt(len(same))
    assert abs(np.mean(same)) < 4 * error and min(same) < 0 and other > 10 * np.std(same)


def test_too_few_images_are_said():
    few, many = torch.randn(4, 4), torch.randn(9, 4)
    with pytest.raises(ValueError, match="4 images for 4 features"):
        frechet_distance(many, few)
    with pytest.raises(ValueError, match="1 and 9 images"):
        kernel_distance(few[:1], many)
