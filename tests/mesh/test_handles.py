"""Deformation by handles against the rule written out, vertex by vertex."""

import numpy as np
import pytest
import trimesh

from repose.errors import MeshError
from repose.mesh.handles import deformed, edge_weights


def plainly(rest, faces, handles, places, iterations):
    """The rule of Open3D's "spokes" with dense matrices and loops; https://www.open3d.org documents what it does."""
    count, across = len(rest), {}
    for face in faces:
        for k in range(3):
            i, j, o = face[k], face[(k + 1) % 3], face[(k + 2) % 3]
            a, b = rest[i] - rest[o], rest[j] - rest[o]
            across.setdefault((min(i, j), max(i, j)), []).append(a @ b / np.linalg.norm(np.cross(a, b)))
    weights = np.zeros((count, count))
    for (i, j), cotangents in across.items():
        weights[i, j] = weights[j, i] = max(0, np.mean(cotangents))
    matrix = np.diag(weights.sum(1)) - weights
    matrix[handles] = np.eye(count)[handles]
    x = rest.copy()
    for _ in range(iterations):
        turns = np.empty((count, 3, 3))
        for i in range(count):
            s = sum(weights[i, j] * np.outer(rest[i] - rest[j], x[i] - x[j]) for j in range(count))
            u, _, vt = np.linalg.svd(s)
            turns[i] = vt.T @ np.diag([1, 1, np.linalg.det(vt.T @ u.T)]) @ u.T
        right = np.array(
            [
                sum(weights[i, j] / 2 * (turns[i] + turns[j]) @ (rest[i] - rest[j]) for j in range(count))
                for i in range(count)
            ]
        )
        right[handles] = places
        x = np.linalg.solve(matrix, right)
    return x


def bodies():
    rng = np.random.default_rng(0)
    sphere = trimesh.creation.icosphere(subdivisions=1)
    open_sheet = trimesh.creation.icosphere(subdivisions=1)
    open_sheet.update_faces(np.arange(len(open_sheet.faces)) > 9)
    blunt = np.asarray(sphere.vertices) * [1, 0.1, 1.5]  # flat triangles: cotangents below 0
    yield (
        "closed",
        np.asarray(sphere.vertices) + 0.05 * rng.standard_normal((42, 3)),
        np.asarray(sphere.faces),
    )
    yield "open", np.asarray(open_sheet.vertices), np.asarray(open_sheet.faces)
    yield "blunt", blunt, np.asarray(sphere.faces)


BODIES = {name: body for name, *body in bodies()}


@pytest.mark.parametrize("name", BODIES)
def test_equals_the_rule_written_out(name):
    rest, faces = BODIES[name]
    rng = np.random.default_rng(1)
    used = np.unique(faces)
    handles = rng.choice(used, 8, replace=False)
    places = rest[handles] * [1.2, 0.8, 1] + 0.2 * rng.standard_normal((8, 3))
    kept = np.flatnonzero(np.isin(np.arange(len(rest)), used))
    back = np.searchsorted(kept, handles)
    plain = plainly(rest[kept], np.searchsorted(kept, faces), back, places, 12)
    found = deformed(rest, faces, handles, places, 12)
    np.testing.assert_allclose(found[kept], plain, atol=1e-6)
    assert np.array_equal(found[handles], places)


def test_weights_are_never_negative_and_some_would_be():
    rest, faces = BODIES["blunt"]
    weights = edge_weights(rest, faces)[2]
    assert weights.min() == 0 and (weights > 0).sum() > 20


def test_a_turned_body_is_found_from_few_handles():
    sphere = trimesh.creation.icosphere(subdivisions=2)
    rest = np.asarray(sphere.vertices) * [1, 2, 0.5]
    turn = trimesh.transformations.rotation_matrix(1.0, [1, 2, 3])[:3, :3]
    handles = np.arange(0, len(rest), 16)
    found = deformed(rest, np.asarray(sphere.faces), handles, rest[handles] @ turn.T, 200)
    np.testing.assert_allclose(found, rest @ turn.T, atol=1e-3)


def test_a_piece_without_a_handle_stays_and_a_face_of_no_area_does_no_harm():
    rest = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [5, 0, 0], [6, 0, 0], [5, 1, 0], [9, 9, 9.0]])
    faces = np.array([[0, 1, 2], [3, 4, 5], [0, 1, 1]])
    found = deformed(rest, faces, np.array([0]), np.array([[1.0, 1, 1]]), 5)
    assert np.array_equal(found[3:], rest[3:]) and np.allclose(found[:3], rest[:3] + 1)
    everywhere = deformed(rest, faces, np.arange(7), rest + 2, 5)
    assert np.array_equal(everywhere, rest + 2)


def test_handles_are_needed_each_once():
    rest, faces = BODIES["closed"]
    for handles in (np.array([], int), np.array([1, 1])):
        with pytest.raises(MeshError, match="handles, each once"):
            deformed(rest, faces, handles, np.zeros((len(handles), 3)))
