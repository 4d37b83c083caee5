import numpy as np
import pytest
import trimesh

from repose.mesh.density import log_spacings


def test_spacings_are_those_of_the_nearest_vertices():
    x = np.random.default_rng(0).random((50, 3))
    distance = np.sort(np.linalg.norm(x[:, None] - x[None], axis=2), axis=1)
    found = np.exp(log_spacings(x)) / 50**0.5
    assert found[0] == pytest.approx(distance[:, 1].mean(), rel=1e-5)
    assert found[4] == pytest.approx(np.median(distance[:, 1]), rel=1e-5)
    assert found[15 + 6] == pytest.approx(np.quantile(distance[:, 6], 0.95), rel=1e-5)


def test_they_follow_the_size_and_not_the_place_or_the_order():
    x = np.random.default_rng(0).random((50, 3))
    order = np.random.default_rng(1).permutation(50)
    assert np.allclose(log_spacings(3 * x[order] + 5), log_spacings(x) + np.log(3), atol=1e-5)


def test_they_hardly_depend_on_the_number_of_vertices():
    coarse, fine = (trimesh.creation.icosphere(subdivisions=n).vertices for n in (3, 4))
    difference = log_spacings(coarse) - log_spacings(fine)
    assert abs(difference[0]) < 0.03 and np.abs(difference).max() < 0.2


def test_coinciding_vertices_are_not_minus_infinity():
    assert np.isfinite(log_spacings(np.repeat(np.random.default_rng(0).random((10, 3)), 8, axis=0))).all()
