"""Bodies in any order of vertices are matched by their eigenfunctions, and left and right are told apart."""

import numpy as np
import pytest
import torch
import trimesh

from repose.errors import ReposeError
from repose.mesh.operators import bbox_centre
from repose.mesh.sheet import turned
from repose.mesh.spectrum import surface_of
from repose.methods.build import create
from repose.methods.interface import Faces
from repose.methods.shuffle import transfer_shuffled
from repose.methods.spectral.matching import kept, matched
from tests.worms import worm

SPHERE = trimesh.creation.icosphere(subdivisions=3)
PLACES, CORNERS = np.asarray(SPHERE.vertices), np.asarray(SPHERE.faces)
MIRRORED = np.array([np.abs(PLACES * [1, 1, -1] - place).sum(axis=1).argmin() for place in PLACES])
EIGENVECTORS = 60


def body(bend=0.0, thickness=0.4):
    """A body with a left and a right, which are mirror images in z at rest and in every pose."""
    x, y, z = PLACES.T
    thick = thickness * (1 + 0.4 * x + 0.25 * y + 0.3 * x * y)
    x, y, z = 1.5 * x, thick * y, thick * z
    angle = bend * np.clip(x + 0.5, 0, 1)
    return np.stack([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle), z], axis=1)


def found(source, target, order):
    """For each vertex of the target that of the source, whose vertices are matched in another order."""
    faces = np.argsort(order)[CORNERS]
    there, here = surface_of(source[order], faces, EIGENVECTORS), surface_of(target, CORNERS, EIGENVECTORS)
    return order[matched(there, faces, here, CORNERS)]


def test_a_mesh_is_found_on_itself_in_another_order():
    order = np.random.default_rng(0).permutation(len(PLACES))
    assert (found(body(), body(), order) == np.arange(len(PLACES))).mean() > 0.99


def test_left_and_right_of_a_symmetric_body_are_told_apart_in_another_pose():
    order = np.random.default_rng(1).permutation(len(PLACES))
    there = found(body(0.7, 0.3), body(), order)
    z = PLACES[:, 2]
    aside = np.abs(z) > 0.1
    assert (z[there] * z > 0)[aside].all()
    assert np.linalg.norm(body()[there] - body(), axis=1).mean() < 0.05


def test_a_mirror_image_keeps_no_orientation_and_a_part_reaches_less():
    surface, every = surface_of(body(), CORNERS, EIGENVECTORS), np.arange(len(PLACES))
    assert kept(every, surface, CORNERS) == pytest.approx(1)
    assert kept(MIRRORED, surface, CORNERS) == pytest.approx(-1)
    part = np.where(PLACES[:, 0] > 0, every, every[0])
    assert 0.3 < kept(part, surface, CORNERS) < 0.7


def test_the_pose_of_the_same_body_is_found_and_other_orders_change_nothing_much():
    rest, posed = body(), body(0.7)
    meshes = [torch.from_numpy(mesh).float()[None] for mesh in (rest, posed)]
    orders = [torch.from_numpy(np.random.default_rng(k).permutation(len(rest))) for k in range(2)]
    network = create("spectral-rotations", vibrations=EIGENVECTORS)
    out = transfer_shuffled(network, *meshes, *orders, Faces(*[torch.from_numpy(CORNERS)] * 2))
    truth = turned(rest, CORNERS, posed)
    error, still = (
        np.square(mesh - bbox_centre(mesh) - truth + bbox_centre(truth)).mean()
        for mesh in (out.vertices[0].double().numpy(), rest)
    )
    assert error < 0.02 * still
    assert np.isin(out.warp.numpy(), meshes[1].numpy()).all(), "vertices of the pose mesh"


def test_meshes_of_other_and_few_vertices_are_matched_too():
    small, faces = worm(0.5, [0, 0])
    sides = Faces(torch.from_numpy(faces), torch.from_numpy(CORNERS))
    network = create("spectral-rotations")
    out = network(torch.from_numpy(small)[None], torch.from_numpy(body()).float()[None], sides)
    assert out.vertices.shape == (1, *small.shape) and out.vertices.isfinite().all()
    box = trimesh.creation.box()
    cube, sides = (
        torch.from_numpy(box.vertices.copy()).float()[None],
        Faces(*[torch.from_numpy(box.faces.copy())] * 2),
    )
    assert network(cube, cube, sides).vertices.isfinite().all()


def test_loose_pieces_and_vertices_do_not_stop_it():
    draw = np.random.default_rng(0)
    loose = draw.normal(0, 0.1, (12, 3)) + np.array([0, 2, 0])  # the last three are of no face
    mesh = np.concatenate([body(), loose])
    faces = np.concatenate([CORNERS, len(PLACES) + pieces(3)])
    both, sides = torch.from_numpy(mesh).float()[None], Faces(*[torch.from_numpy(faces)] * 2)
    out = create("spectral-rotations")(both, both, sides)
    there = torch.linalg.vector_norm(out.warp - both, dim=-1)[0, : len(PLACES)]
    assert out.vertices.isfinite().all() and there.mean() < 0.05


def pieces(count):
    return np.arange(3 * count).reshape(-1, 3)


@pytest.mark.parametrize(
    ("vertices", "faces", "said"),
    [
        (np.zeros((12, 3)), pieces(4), "no area"),
        (np.full((12, 3), np.nan), pieces(4), "no area"),
        (np.random.default_rng(0).normal(size=(3, 3)), pieces(1), "a mesh of 3 vertices is no surface"),
        (np.random.default_rng(0).normal(size=(360, 3)), pieces(120), "100 or more pieces"),
    ],
)
def test_what_is_no_surface_is_refused_in_one_line(vertices, faces, said):
    mesh, sides = torch.from_numpy(vertices).float()[None], Faces(*[torch.from_numpy(faces)] * 2)
    with pytest.raises(ReposeError, match=said) as refused:
        create("spectral-rotations")(mesh, mesh, sides)
    assert "\n" not in str(refused.value)
