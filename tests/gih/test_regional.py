"""Differentiable distances on patches."""

import numpy as np
import pytest
import torch
import trimesh
from gih.meshes import sphere
from gih.plain import published_distances

from repose.gih import regional
from repose.gih.convention import Settings
from repose.gih.regional import patch_distances
from repose.gih.simd import LANES
from repose.gih.solver import all_pairs
from repose.mesh.patches import patch_table


def whole(vertices, faces, **options):
    """Distances of one mesh without padding."""
    x = torch.as_tensor(np.asarray(vertices))[None]
    f = torch.as_tensor(np.asarray(faces), dtype=torch.int64)[None]
    yes = torch.ones(1, x.shape[1], dtype=torch.bool), torch.ones(1, f.shape[1], dtype=torch.bool)
    return patch_distances(x, f, *yes, **options)[0]


def test_slope_against_great_circles_is_one():
    sphere = trimesh.creation.icosphere(subdivisions=3)
    found = whole(sphere.vertices, sphere.faces).numpy()
    exact = np.arccos(np.clip(sphere.vertices @ sphere.vertices.T, -1, 1))
    slope = np.polyfit(exact.ravel(), found.ravel(), 1)[0]
    assert slope == pytest.approx(1, abs=0.01)
    assert np.corrcoef(exact.ravel(), found.ravel())[0, 1] > 0.999


@pytest.mark.parametrize("settings", [Settings(), Settings("released")])
def test_equals_the_solver_of_the_store_where_no_edge_needs_flipping(settings):
    sphere = trimesh.creation.icosphere(subdivisions=2)
    ours = whole(sphere.vertices, sphere.faces, settings=settings)
    assert np.abs(ours.numpy() - all_pairs(sphere.vertices, sphere.faces, settings)).max() < 1e-5


@pytest.mark.parametrize("radius", [1.0, 0.02, 0.0005])
@pytest.mark.parametrize("shape", [[1, 1, 1], [1, 1, 8]])
def test_released_distances_are_those_of_the_published_formulas(radius, shape):
    """With its two constants, which are felt by small faces, and no edge that is flipped or face that is mended."""
    vertices, faces = sphere(1, radius=radius, noise=0.01)
    vertices = vertices * np.array(shape)
    expected = published_distances(vertices, faces)
    found = whole(vertices, faces, settings=Settings("released")).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * expected.max())


def test_padding_changes_nothing():
    sphere = trimesh.creation.icosphere(subdivisions=2)
    table = patch_table(sphere.faces, 162, 30)
    small, large = sorted([0, 50], key=lambda s: len(table.patch(s)))
    vertices, is_vertex, faces, is_face = (torch.from_numpy(x) for x in table.padded([0, 50, 14]))
    x = torch.tensor(np.asarray(sphere.vertices))[vertices]
    together = patch_distances(x, faces, is_vertex, is_face)
    for k in range(3):
        n, f = int(is_vertex[k].sum()), int(is_face[k].sum())
        alone = whole(x[k, :n], faces[k, :f])
        assert torch.allclose(together[k, :n, :n], alone, atol=1e-12)
    assert len(table.patch(small)) < len(table.patch(large))


def test_gradients_are_those_of_finite_differences():
    sphere = trimesh.creation.icosphere(subdivisions=1)
    faces = torch.as_tensor(np.asarray(sphere.faces[:60]), dtype=torch.int64)[None]
    x = torch.tensor(np.asarray(sphere.vertices))[None]
    x = x + 0.05 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    ones = torch.ones(1, 42, dtype=torch.bool), torch.ones(1, 60, dtype=torch.bool)
    some = torch.rand(42, 42, generator=torch.Generator().manual_seed(1), dtype=x.dtype)
    torch.autograd.gradcheck(lambda v: (patch_distances(v, faces, *ones)[0] * some).sum(), x.requires_grad_())


def test_a_flat_face_gives_finite_distances_and_gradients():
    vertices = torch.tensor(
        [[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 0]], dtype=torch.float64, requires_grad=True
    )
    faces = torch.tensor([[[0, 1, 2], [0, 2, 3]]])
    ones = torch.ones(1, 4, dtype=torch.bool), torch.ones(1, 2, dtype=torch.bool)
    found = patch_distances(vertices[None], faces, *ones)
    found.sum().backward()
    assert torch.isfinite(found).all() and torch.isfinite(vertices.grad).all()


@pytest.mark.parametrize("settings", [Settings(), Settings("released")])
def test_sparse_kernels_give_what_dense_matrices_do(settings, monkeypatch):
    """Distances and gradients, of patches of three sizes in one batch."""
    sphere = trimesh.creation.icosphere(subdivisions=3)
    table = patch_table(sphere.faces, 642, 70)
    vertices, is_vertex, faces, is_face = (torch.from_numpy(x) for x in table.padded([0, 50, 14]))
    assert len(set(is_vertex.sum(1).tolist())) > 1 and is_vertex.sum(1).max() > 2 * LANES
    noise = 0.01 * torch.randn(642, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = (torch.tensor(np.asarray(sphere.vertices)) + noise)[vertices].requires_grad_()
    some = torch.rand(3, *[is_vertex.shape[1]] * 2, generator=torch.Generator().manual_seed(1))
    some = some * is_vertex[:, :, None] * is_vertex[:, None]

    def found():
        out = patch_distances(x, faces, is_vertex, is_face, settings) * (some != 0)
        return out, torch.autograd.grad((out * some).sum(), x)[0]

    sparse = found()
    dense = regional.dense_distances
    monkeypatch.setattr(regional, "distances_along", lambda faces, real, _, own: dense(faces, real, own))
    for ours, theirs in zip(sparse, found(), strict=True):
        assert (ours - theirs).abs().max() < 1e-9 * theirs.abs().max()


def test_a_body_of_no_numbers_gives_none():
    sphere = trimesh.creation.icosphere(subdivisions=1)
    assert torch.isnan(whole(np.full_like(sphere.vertices, np.nan), sphere.faces)).any()
