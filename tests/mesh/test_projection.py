"""Projections keep what is already right, follow where they are drawn, and give a thinned body its shape back."""

import igl
import numpy as np
import pytest
import torch
import trimesh
from scipy.spatial.transform import Rotation

from repose.errors import MeshError
from repose.mesh import projection
from repose.mesh.projection import finished, on_any_surface, on_surface
from repose.mesh.sheet import PULL, Sheet, as_rigid_as_possible, rotations, turned
from tests.worms import worm

TURN = Rotation.from_euler("xyz", [0.4, -1.1, 2.0]).as_matrix()


@pytest.fixture(scope="module")
def bodies():
    """Faces, a straight body, it bent, and it bent with half the thickness."""
    straight, faces = worm(0.4, [0.0, 0.0])
    bent, _ = worm(0.4, [0.9, -0.7])
    thin, _ = worm(0.2, [0.9, -0.7])
    return faces, *(x.astype(np.float64) for x in (straight, bent, thin))


@pytest.mark.parametrize("project", [as_rigid_as_possible, turned])
def test_a_rigid_motion_is_kept(bodies, project):
    faces, straight, *_ = bodies
    moved = straight @ TURN.T
    assert np.abs(project(straight, faces, moved) - moved + moved.mean(0) * (project is turned)).max() < 1e-5


@pytest.mark.parametrize("project", [as_rigid_as_possible, turned])
def test_a_thinned_body_comes_nearer_to_its_own_shape(bodies, project):
    faces, straight, bent, thin = bodies
    before, after = (
        np.square(x - x.mean(0) - bent + bent.mean(0)).mean() for x in (thin, project(straight, faces, thin))
    )
    assert after < 0.5 * before


def energy(rest, faces, x, target, pull, turns):
    """The plain sum that is minimised, corner by corner."""
    total = 0.0
    for face in faces:
        for corner in range(3):
            i, j, k = (face[(corner + step) % 3] for step in range(3))
            a, b = rest[j] - rest[i], rest[k] - rest[i]
            weight = np.clip(a @ b / np.linalg.norm(np.cross(a, b)), 0.01, 50) / 2
            for end in (j, k):
                gap = (x[j] - x[k]) - turns[end] @ (rest[j] - rest[k])
                total += weight / 2 * gap @ gap
    areas = np.zeros(len(rest))
    for face in faces:
        p, q, r = rest[face]
        areas[face] += np.linalg.norm(np.cross(q - p, r - p))
    shares = areas / areas.sum()
    return total + pull * (shares * np.square(x - target).sum(1)).sum()


def test_a_round_finds_the_least_of_the_stated_sum():
    sphere = trimesh.creation.icosphere(subdivisions=1)
    rest, faces = np.asarray(sphere.vertices), np.asarray(sphere.faces)
    rng = np.random.default_rng(0)
    target = rest @ TURN.T + 0.1 * rng.normal(size=rest.shape)
    x = Sheet(rest, faces, 3.0).follow(target, target, 200)  # turns and vertices agree by then
    turns = np.stack([best_turn(rest, faces, x, vertex) for vertex in range(len(rest))])
    least = energy(rest, faces, x, target, 3.0, turns)
    for _ in range(20):
        step = 1e-4 * rng.normal(size=x.shape)
        assert energy(rest, faces, x + step, target, 3.0, turns) > least
        other = Rotation.from_rotvec(0.01 * rng.normal(size=(len(x), 3))).as_matrix()
        assert energy(rest, faces, x, target, 3.0, other @ turns) > least


def best_turn(rest, faces, x, vertex):
    """The rotation that fits the edges at a vertex best."""
    total = np.zeros((3, 3))
    for face in faces[(faces == vertex).any(1)]:
        for corner in range(3):
            i, j, k = (face[(corner + step) % 3] for step in range(3))
            if vertex in (j, k):
                a, b = rest[j] - rest[i], rest[k] - rest[i]
                weight = np.clip(a @ b / np.linalg.norm(np.cross(a, b)), 0.01, 50) / 2
                total += weight * np.outer(x[j] - x[k], rest[j] - rest[k])
    u, _, v = np.linalg.svd(total)
    return u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v


def test_rotations_are_the_nearest_ones_of_maps_that_mirror_too():
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(200, 3, 3))
    found = rotations(maps)
    assert (np.linalg.det(maps) < 0).any() and np.linalg.det(found) == pytest.approx(1)
    assert found @ found.transpose(0, 2, 1) == pytest.approx(np.tile(np.eye(3), (200, 1, 1)), abs=1e-12)
    gap = np.square(found - maps).sum(axis=(1, 2))
    for _ in range(20):
        other = Rotation.from_rotvec(rng.normal(size=(200, 3))).as_matrix() @ found
        assert (np.square(other - maps).sum(axis=(1, 2)) > gap).all()


@pytest.mark.parametrize("least", [0.3, 1e-3, 1e-9, 0.0, -1e-3, -0.019, -0.02])
@pytest.mark.parametrize("size", [1e-9, 1.0, 1e6])
def test_rotations_are_those_of_singular_values(least, size):
    rng = np.random.default_rng(1)
    left, right = (Rotation.random(500, random_state=rng).as_matrix() for _ in range(2))
    values = np.stack([rng.uniform(0.5, 1, 500), rng.uniform(0.02, 0.5, 500), np.full(500, least)], axis=1)
    values[0] = 1, 0.02, least  # at -0.02 two rotations are as near, and one of them is found
    found = rotations(size * (left * values[:, None]) @ right)
    sure = values[:, 1] + least > 1e-6
    assert found[sure] == pytest.approx((left @ right)[sure], abs=1e-9)
    assert np.linalg.det(found) == pytest.approx(1)


def test_a_map_of_zeros_turns_nothing_and_leaves_the_others_alone():
    maps = np.zeros((3, 3, 3))
    maps[1] = 2 * Rotation.from_rotvec([1, 2, 3]).as_matrix()
    assert rotations(maps) == pytest.approx(np.stack([np.eye(3), maps[1] / 2, np.eye(3)]), abs=1e-12)


def test_on_the_surface_of_a_larger_body_the_rest_takes_its_pose_and_keeps_its_lengths(bodies):
    faces, straight, bent, _ = bodies
    rng = np.random.default_rng(0)
    order = rng.permutation(
        len(bent)
    )  # the other body numbers its vertices otherwise, and is half as large again
    other, other_faces = 1.5 * bent[order], np.argsort(order)[faces]
    start = worm(0.4, [0.5, -0.4])[0].astype(np.float64)  # about half of the way from the straight one
    found = on_surface(straight, faces, start, other, other_faces)

    def off(x):
        return np.square(x - x.mean(0) - bent + bent.mean(0)).mean()

    assert off(found) < 0.1 * off(start)
    edges = trimesh.Trimesh(straight, faces, process=False).edges_unique
    was, now = (np.linalg.norm(x[edges[:, 0]] - x[edges[:, 1]], axis=1) for x in (straight, found))
    assert np.abs(now / was - 1).mean() < 0.05


def test_a_fine_mesh_is_turned_as_a_coarse_one(bodies, monkeypatch):
    fine = [igl.upsample(x, bodies[0].astype(np.int64), 1) for x in bodies[1:]]
    (straight, faces), (bent, _), _ = fine
    start, _ = igl.upsample(worm(0.4, [0.5, -0.4])[0].astype(np.float64), bodies[0].astype(np.int64), 1)
    whole = on_any_surface(straight, faces, start, bent, faces)
    assert np.array_equal(whole, on_surface(straight, faces, start, bent, faces))
    monkeypatch.setattr(projection, "MOST", len(bodies[1]))
    found = on_any_surface(straight, faces, start, bent, faces)

    def off(x):
        return np.square(x - x.mean(0) - bent + bent.mean(0)).mean()

    assert not np.array_equal(found, whole)
    assert off(found) < 0.2 * off(start)


@pytest.mark.parametrize("factor", [2.0**-30, 2.0**-17, 2.0**20])
def test_the_unit_is_no_matter(bodies, factor):
    faces, straight, bent, _ = bodies
    start = worm(0.4, [0.5, -0.4])[0].astype(np.float64)
    found = on_surface(factor * straight, faces, factor * start, factor * bent, faces)
    assert found / factor == pytest.approx(on_surface(straight, faces, start, bent, faces), abs=1e-9)


def test_a_surface_that_is_inside_out_is_the_same_surface(bodies):
    faces, straight, bent, _ = bodies
    start = worm(0.4, [0.5, -0.4])[0].astype(np.float64)
    found = on_surface(straight, faces, start, bent, faces)
    assert on_surface(straight, faces, start, bent, faces[:, ::-1]) == pytest.approx(found, abs=1e-9)
    assert on_surface(straight, faces[:, ::-1], start, bent, faces) == pytest.approx(found, abs=1e-9)


def test_a_surface_without_area_is_refused(bodies):
    faces, straight, bent, _ = bodies
    with pytest.raises(MeshError, match="no area"):
        on_surface(straight, faces, bent, np.zeros_like(bent), faces)


def test_more_pull_follows_more_closely(bodies):
    faces, straight, _, thin = bodies
    apart = [
        np.abs(Sheet(straight, faces, pull).follow(thin, thin, 10) - thin).mean()
        for pull in (PULL / 10, PULL, PULL * 1e4)
    ]
    assert apart[0] > apart[1] > 10 * apart[2]


def test_a_vertex_of_no_face_stays_where_it_was_put(bodies):
    faces, straight, bent, _ = bodies
    rest, target = (np.concatenate([x, [[9.0, 9, 9]]]) for x in (straight, bent))
    assert as_rigid_as_possible(rest, faces, target)[-1] == pytest.approx([9, 9, 9], abs=1e-6)


def test_a_batch_is_its_meshes_and_none_changes_nothing(bodies):
    faces, straight, bent, thin = bodies
    identity, found = (torch.from_numpy(np.stack(x)).float() for x in ((straight, bent), (thin, thin)))
    posed = torch.stack([torch.from_numpy(bent)] * 2).float(), faces
    assert torch.equal(finished("none", identity, faces, *posed, found), found)
    both = finished("arap", identity, faces, *posed, found)
    alone = as_rigid_as_possible(identity[1].double().numpy(), faces, found[1].double().numpy())
    assert both.dtype == torch.float32 and np.abs(both[1].numpy() - alone).max() < 1e-6
    drawn = finished("icp", identity, faces, *posed, found, found)
    alone = on_surface(
        *(identity[0].double().numpy(), faces, found[0].double().numpy(), posed[0][0].double().numpy()), faces
    )
    assert np.abs(drawn[0].numpy() - alone).max() < 1e-6


def test_a_flat_face_has_no_turn(bodies):
    faces, straight, bent, _ = bodies
    straight = straight.copy()
    straight[faces[0, 0]] = straight[faces[0, 1]]
    with pytest.raises(MeshError, match="have no area"):
        turned(straight, faces, bent)
    assert np.isfinite(as_rigid_as_possible(straight, faces, bent)).all()
