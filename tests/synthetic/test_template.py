"""Closed meshes of an exact size, and a collision test that sees what crosses."""

import numpy as np
import pytest
import trimesh

from repose.errors import ReposeError
from repose.synthetic.open_human.collisions import CollisionTest
from repose.synthetic.open_human.template import is_closed_sphere, retopologise, whole


@pytest.fixture(scope="module")
def ball():
    mesh = trimesh.creation.icosphere(subdivisions=4)
    return np.asarray(mesh.vertices), np.asarray(mesh.faces)


@pytest.mark.parametrize("count", [300, 301, 999])
def test_exact_count_and_a_map_that_stays_on_the_surface(ball, count):
    template = retopologise(*ball, count)
    assert is_closed_sphere(template.faces, count)
    assert (template.map_weights >= 0).all() and np.allclose(template.map_weights.sum(axis=1), 1)
    points = np.einsum("vk,vkd->vd", template.map_weights, ball[0][template.map_vertices])
    assert np.abs(np.linalg.norm(points, axis=1) - 1).max() < 0.02


def test_the_whole_mesh_maps_to_itself(ball):
    template = whole(ball[1])
    assert np.array_equal(ball[0][template.map_vertices[:, 0]], ball[0])


def test_more_vertices_than_there_are(ball):
    with pytest.raises(ReposeError, match=r"open-human: vertices: 2562 vertices cannot be made"):
        retopologise(*ball, 2562)


def test_only_a_closed_sphere_is_one(ball):
    faces, count = ball[1], len(ball[0])
    assert is_closed_sphere(faces, count)
    flipped = faces.copy()
    flipped[5] = flipped[5, ::-1]
    assert not is_closed_sphere(flipped, count)
    assert not is_closed_sphere(faces[1:], count)
    assert not is_closed_sphere(faces, count + 1)
    torus = trimesh.creation.torus(1, 0.3)
    assert not is_closed_sphere(np.asarray(torus.faces), len(torus.vertices))


def test_pinched_and_separate_pieces_are_refused(ball):
    faces, count = ball[1], len(ball[0])
    torus = trimesh.creation.torus(1, 0.3)
    ring = np.asarray(torus.faces)
    # Two balls and a torus have Euler number 2 + 2 + 0, less one for each vertex they share.
    pieces = np.concatenate([faces, faces + count])
    assert not is_closed_sphere(pieces, 2 * count)
    pinched = np.concatenate([faces, np.where(ring == 0, 0, ring + count - 1)])
    assert not is_closed_sphere(pinched, count + len(torus.vertices) - 1)


def bodies(second_bone: int, bystanders: int = 0) -> tuple[CollisionTest, np.ndarray]:
    """Two triangles, moved by bone 0 and by `second_bone`, the second across the first; more that touch nothing."""
    crossing = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0.2, 0.2, -1], [0.3, 0.2, 1], [0.2, 0.3, 1.0]])
    apart = [np.add(crossing[:3], (0, 0, 5 + k)) for k in range(bystanders)]
    vertices = np.concatenate([crossing, *apart])
    bones = np.array([0, 0, 0] + [second_bone] * 3 + [0] * 3 * bystanders)[:, None]
    faces = np.arange(len(vertices)).reshape(-1, 3)
    return CollisionTest(faces, bones, np.ones((len(vertices), 1)), ("a", "b", "eye.L", "head")), vertices


def test_crossing_parts_are_seen_and_parted_ones_are_not():
    test, vertices = bodies(1)
    assert test.intersects(vertices)
    assert test.intersects(vertices[:, [2, 0, 1]])
    assert not test.intersects(vertices + np.array([[0, 0, 0]] * 3 + [[0, 0, 3]] * 3))
    assert not test.intersects(vertices + np.array([[0, 0, 0]] * 3 + [[2, 0, 0]] * 3))


def test_parts_that_a_bone_shares_may_fold_on_a_small_share_of_the_body():
    for bystanders, folds_too_much in (
        (0, True),
        (150, True),
        (250, False),
    ):  # 2 of 152 and of 252 faces; 1 % may
        test, vertices = bodies(0, bystanders)
        assert test.intersects(vertices) == folds_too_much


def test_known_crossings_do_not_count():
    for bone in (0, 1):
        test, vertices = bodies(bone)
        test.accept(vertices)
        assert not test.intersects(vertices)
