"""Other triangles lie on the same surface, and what is carried to them is what was there."""

import numpy as np
import pytest
import trimesh

from repose.mesh.variation import closest_points, decimated, varied


@pytest.fixture(scope="module")
def ball():
    ball = trimesh.creation.icosphere(4)
    return np.asarray(ball.vertices), np.asarray(ball.faces)


def test_places_carry_coordinates_onto_themselves(ball):
    """Against the nearest of the nearest points of all faces."""
    points = np.random.default_rng(0).normal(size=(20, 3))
    places = closest_points(points, *ball)
    for point, found, distance in zip(points, places.interpolate(*ball), places.distances, strict=True):
        there = trimesh.triangles.closest_point(ball[0][ball[1]], np.tile(point, (len(ball[1]), 1)))
        assert abs(np.linalg.norm(there - point, axis=1).min() - distance) < 1e-9
        assert abs(np.linalg.norm(found - point) - distance) < 1e-9


def test_a_vertex_has_its_own_value(ball):
    values = np.random.default_rng(0).normal(size=(len(ball[0]), 2))
    assert np.abs(closest_points(ball[0], *ball).interpolate(values, ball[1]) - values).max() < 1e-9


def test_a_decimated_mesh_has_as_many_vertices_as_asked_for(ball):
    vertices, faces = decimated(*ball, 500)
    assert abs(len(vertices) - 500) < 10 and faces.max() == len(vertices) - 1
    assert np.abs(np.linalg.norm(vertices, axis=1) - 1).max() < 0.02


def test_an_open_mesh_is_decimated_too(ball):
    half = ball[1][ball[0][ball[1]].mean(axis=1)[:, 1] > 0]
    used, index = np.unique(half, return_inverse=True)
    vertices, _ = decimated(ball[0][used], index.reshape(-1, 3), len(used) - 40)
    assert len(vertices) < len(used)


def test_a_small_mesh_stays_as_it_is(ball):
    vertices, faces = decimated(*ball, len(ball[0]))
    assert vertices is ball[0] and faces is ball[1]


def test_varied_surfaces_are_of_all_kinds_and_lie_on_the_mesh(ball):
    counts, pieces = set(), set()
    for seed in range(30):
        vertices, faces, places = varied(*ball, np.random.default_rng(seed))
        again = varied(*ball, np.random.default_rng(seed))
        assert np.array_equal(vertices, again[0]) and np.array_equal(faces, again[1])
        assert faces.max() == len(vertices) - 1
        assert (
            np.abs(places.interpolate(*ball) - vertices).max() < 0.1
        )  # a rough one is 0.003 × 3.5 off in the mean
        counts.add(len(vertices))
        pieces.add(trimesh.Trimesh(vertices, faces, process=False).is_watertight)
    assert len(ball[0]) in counts and min(counts) < 0.6 * len(ball[0]) and pieces == {True, False}
