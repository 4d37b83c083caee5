"""The mesh type, operators and the quality row, on shapes whose measures are known."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from repose.errors import MeshError
from repose.mesh import operators
from repose.mesh.intersections import intersecting_faces
from repose.mesh.mesh import Mesh
from repose.mesh.quality import measure


@pytest.fixture
def box() -> Mesh:
    solid = trimesh.creation.box((1, 2, 3))
    return Mesh(solid.vertices + np.array([5, 1, 0]), solid.faces)


def test_quality_of_a_box(box):
    row = measure(box)
    assert (row.vertices, row.faces, row.closed, row.manifold, row.components) == (8, 12, True, True, 1)
    assert (row.degenerate_faces, row.duplicate_vertices, row.unreferenced_vertices) == (0, 0, 0)
    assert row.self_intersections == 0
    assert row.volume_m3 == pytest.approx(6)
    assert (row.width_m, row.height_m, row.depth_m) == pytest.approx((1, 2, 3))
    assert (row.centre_x_m, row.centre_y_m, row.centre_z_m) == pytest.approx((5, 1, 0))


def test_quality_counts_defects(box):
    vertices = np.concatenate([box.vertices, box.vertices[:2], [[0, 0, 0]]])
    row = measure(Mesh(vertices, np.concatenate([box.faces[1:], [[0, 0, 1]]])))
    assert not row.closed and np.isnan(row.volume_m3)
    assert (row.degenerate_faces, row.duplicate_vertices, row.unreferenced_vertices) == (1, 2, 3)


def test_volume_is_signed_and_flipped_faces_are_not_closed(box):
    assert operators.volume(box.vertices, box.faces[:, ::-1]) == pytest.approx(-6)
    one_flipped = box.faces.copy()
    one_flipped[0] = one_flipped[0, ::-1]
    assert not operators.is_closed(one_flipped)


def test_two_balls_that_share_a_vertex_are_closed_but_not_manifold():
    ball = trimesh.creation.icosphere(1)
    faces = np.concatenate([ball.faces, np.where(ball.faces == 0, 0, ball.faces + len(ball.vertices))])
    assert operators.is_closed(faces) and not operators.is_manifold(faces)
    assert operators.components(faces) == 1
    assert operators.components(np.concatenate([ball.faces, ball.faces + 100])) == 2


def test_edges_normals_areas_and_centre_agree_with_trimesh():
    ball = trimesh.creation.icosphere(2)
    assert np.array_equal(operators.unique_edges(ball.faces), np.unique(np.sort(ball.edges, axis=1), axis=0))
    assert np.allclose(operators.face_areas(ball.vertices, ball.faces), ball.area_faces)
    normals = operators.vertex_normals(ball.vertices, ball.faces)
    assert np.allclose(np.einsum("ij,ij->i", normals, ball.vertices), 1, atol=0.01)
    assert np.allclose(operators.bbox_centre(ball.vertices + np.array([1, 2, 3])), [1, 2, 3])


def test_intersections_of_two_balls():
    ball = trimesh.creation.icosphere(2)
    faces = np.concatenate([ball.faces, ball.faces + len(ball.vertices)])
    apart = np.concatenate([ball.vertices, ball.vertices + np.array([2.1, 0, 0])])
    through = np.concatenate([ball.vertices, ball.vertices + np.array([1.5, 0.01, 0.02])])
    assert not intersecting_faces(apart, faces).any()
    found = intersecting_faces(through, faces)
    centres = through[faces].mean(axis=1)
    assert 20 < found.sum() < 200
    assert np.abs(centres[found][:, 0] - 0.75).max() < 0.4


@pytest.mark.parametrize(
    ("vertices", "faces", "says"),
    [
        (np.zeros((3, 2)), np.zeros((1, 3), int), r"\(V, 3\)"),
        (np.zeros((3, 3)), np.zeros((1, 4), int), r"\(F, 3\)"),
        (np.zeros((3, 3)), np.zeros((1, 3)), r"\(F, 3\) integers"),
        (np.zeros((3, 3)), np.full((1, 3), 2**40), "32 bits"),
        (np.zeros((3, 3)), np.full((1, 3), 3), "face 0 names"),
        (np.zeros((3, 3)), np.full((1, 3), -1), "face 0 names"),
        (np.full((3, 3), np.nan), np.zeros((1, 3), int), "vertex 0 is not finite"),
        (np.zeros((0, 3)), np.zeros((1, 3), int), "no vertices"),
        (np.zeros((3, 3)), np.zeros((0, 3), int), "no faces"),
    ],
)
def test_mesh_refuses(vertices, faces, says):
    with pytest.raises(MeshError, match=says):
        Mesh(vertices, faces).validated("body")
