"""Every mesh of the issue's list: the right distances, or one clear line."""

import numpy as np
import pytest
from gih.meshes import grid, join, moebius, sphere, torus

from repose.errors import MeshError
from repose.gih.compute import distances
from repose.gih.solver import all_pairs


def test_two_components_are_infinitely_far():
    ball, ring = sphere(1), torus()
    matrix = distances(*join(ball, ring)).matrix
    n = len(ball[0])
    assert np.isinf(matrix[:n, n:]).all()
    np.testing.assert_allclose(matrix[:n, :n], all_pairs(*ball), rtol=1e-6)
    np.testing.assert_allclose(matrix[n:, n:], all_pairs(*ring), rtol=1e-6)


@pytest.mark.parametrize("where", [0, 20, None])
def test_unreferenced_vertices_are_alone(where):
    v, f = sphere(1)
    place = len(v) if where is None else where
    wider = np.insert(v, place, [9.0, 9.0, 9.0], axis=0)
    solution = distances(wider, f + (f >= place))
    alone = solution.matrix[place]
    assert alone[place] == 0
    assert np.isinf(np.delete(alone, place)).all()
    rest = np.delete(np.delete(solution.matrix, place, 0), place, 1)
    np.testing.assert_allclose(rest, all_pairs(v, f), rtol=1e-5, atol=1e-6)
    assert solution.components == 2


def test_an_unwelded_seam_separates():
    left, right = grid(4, 4), grid(4, 4)
    matrix = distances(*join(left, (right[0] + [3, 0, 0], right[1]))).matrix
    assert np.isinf(matrix[3, 16])  # the same place, but two vertices
    assert np.isfinite(matrix[:16, :16]).all()


def split_edge(v, f, along):
    """Put a vertex on an edge of face 0, and a face of (almost) no area beside it."""
    a, b, c = f[0]
    new = len(v)
    v = np.concatenate([v, [(v[a] + v[b]) / 2 + along]])
    return v, np.concatenate([f[1:], [[a, new, c], [new, b, c], [a, b, new]]]).astype(np.int32)


@pytest.mark.parametrize("height", [0.0, 1e-9], ids=["zero-area", "sliver"])
def test_flat_faces_do_no_harm(height):
    v, f = sphere(2)
    outward = v[f[0]].mean(0)
    matrix = distances(*split_edge(v, f, height * outward)).matrix
    assert np.isfinite(matrix).all()
    np.testing.assert_allclose(matrix[:-1, :-1], all_pairs(v, f), atol=0.05)


def test_coincident_vertices_do_no_harm():
    v, f = grid(5, 5)
    v[6] = v[7]
    matrix = distances(v, f).matrix
    assert np.isfinite(matrix).all()
    assert matrix[6, 7] < 0.3


def with_face(face, v, f):
    return v, np.concatenate([f, [face]]).astype(np.int32)


@pytest.mark.parametrize(
    ("mesh", "reason"),
    [
        (with_face(sphere(1)[1][0], *sphere(1)), "edges have more than two faces"),
        (with_face(sphere(1)[1][0][::-1], *sphere(1)), "edges have more than two faces"),
        (join((np.eye(3), np.array([[0, 1, 2], [0, 1, 2]]))), "faces are duplicates"),
        (with_face([*sphere(1)[1][0][:2], 8], *sphere(1)), "more than two faces"),
        (moebius(), "cannot be oriented"),
    ],
    ids=["duplicate", "mirrored duplicate", "doubled triangle", "non-manifold edge", "moebius"],
)
def test_what_the_kernel_refuses_goes_to_the_reference_and_says_so(mesh, reason):
    solution = distances(*mesh)
    assert solution.method == "potpourri3d"
    assert reason in solution.note
    assert np.isfinite(solution.matrix).all()
    with pytest.raises(MeshError, match=reason):
        all_pairs(*mesh)


def test_a_duplicate_face_hardly_changes_distances():
    v, f = sphere(2)
    np.testing.assert_allclose(distances(*with_face(f[7], v, f)).matrix, all_pairs(v, f), atol=0.06)


def test_a_bowtie_is_crossed_at_its_vertex():
    v = np.array([[0, 0, 0], [1, 0.5, 0], [1, -0.5, 0], [-1, 0.5, 0], [-1, -0.5, 0]], float)
    matrix = distances(v, [[0, 2, 1], [0, 3, 4]]).matrix
    assert np.isfinite(matrix).all()
    assert matrix[1, 3] > matrix[1, 0]


@pytest.mark.parametrize("face", [0, 5, 79])
def test_flipped_faces_change_nothing(face):
    v, f = sphere(1, noise=0.1)  # bumpy: Delaunay flips happen, which need consistent winding
    wrong = f.copy()
    wrong[face] = wrong[face][::-1]
    np.testing.assert_allclose(distances(v, wrong).matrix, all_pairs(v, f), rtol=1e-5, atol=1e-6)


def test_one_triangle():
    matrix = distances(np.eye(3), [[0, 1, 2]]).matrix
    assert np.isfinite(matrix).all()
    assert (matrix[~np.eye(3, dtype=bool)] > 0.5).all()


BALL = sphere(1)


def changed(array, index, value):
    array = array.copy().astype(type(value) if not isinstance(value, int) else np.int64)
    array[index] = value
    return array


@pytest.mark.parametrize(
    ("v", "f", "message"),
    [
        (changed(BALL[0], (3, 1), float("nan")), BALL[1], "vertex 3 is not finite"),
        (changed(BALL[0], (3, 1), float("inf")), BALL[1], "vertex 3 is not finite"),
        (BALL[0], changed(BALL[1], (4, 0), 42), "face 4 names a vertex outside 0..41"),
        (BALL[0], changed(BALL[1], (4, 0), -1), "face 4 names a vertex outside"),
        (BALL[0], changed(BALL[1], (4, 0), 2**40), "face 4 names a vertex outside"),
        (BALL[0], changed(BALL[1], (2, 0), int(BALL[1][2, 1])), "face 2 names one vertex twice"),
        (np.zeros((0, 3)), np.zeros((0, 3), int), "empty"),
        (BALL[0], np.zeros((0, 3), int), "empty"),
        (BALL[0][:, :2], BALL[1], "shape"),
        (BALL[0], BALL[1][:, [0, 1, 2, 2]], "shape"),
        (BALL[0] * 0, BALL[1], "one point"),
        (BALL[0], BALL[1].astype(float), "not numbers and integers"),
        (BALL[0].astype(str), BALL[1], "not numbers and integers"),
    ],
)
@pytest.mark.parametrize("backend", ["auto", "potpourri3d"])
def test_malformed_arrays_are_one_clear_line(v, f, message, backend):
    with pytest.raises(MeshError, match=message) as caught:
        distances(v, f, backend=backend, where="body.obj")
    assert str(caught.value).startswith("body.obj: ")
    assert "\n" not in str(caught.value)
