"""Eigenfunctions are those of the surface, whatever its triangles, size and place."""

import numpy as np
import pytest
import trimesh
from scipy.linalg import eigh
from scipy.spatial.transform import Rotation

from repose.errors import MeshError
from repose.mesh.operators import edge_stiffness, vertex_areas
from repose.mesh.spectrum import surface_of
from tests.worms import worm


def sphere(subdivisions):
    ball = trimesh.creation.icosphere(subdivisions)
    return np.asarray(ball.vertices), np.asarray(ball.faces)


def test_a_sphere_has_the_eigenvalues_of_a_sphere():
    """l (l + 1) / r², 2 l + 1 times each, and 4 π r² = 1."""
    found = surface_of(*sphere(4), 16).values / (4 * np.pi)
    expected = np.repeat([0, 2, 6, 12], [1, 3, 5, 7])
    assert np.allclose(found, expected, rtol=0.01, atol=1e-3)


def test_they_solve_the_dense_problem():
    vertices, faces = worm(0.4, [0.9, -0.7])
    surface = surface_of(vertices.astype(float), faces, 12)
    scaled = surface.vertices.astype(float)
    first, second, stiffness = edge_stiffness(scaled, faces)
    laplacian = np.zeros((len(vertices), len(vertices)))
    for i, j, w in zip(first, second, stiffness, strict=True):
        laplacian[[i, j], [j, i]] -= w
        laplacian[[i, j], [i, j]] += w
    masses = vertex_areas(scaled, faces)
    values = eigh(laplacian, np.diag(masses / masses.sum()), eigvals_only=True)[:12]
    assert np.abs(surface.values - values).max() < 1e-3 * values[-1]
    product = surface.vectors.T @ (surface.masses[:, None] * surface.vectors)
    assert np.abs(product - np.eye(12)).max() < 1e-4


def test_size_place_and_turn_do_not_matter():
    vertices, faces = worm(0.4, [0.9, -0.7])
    turn = Rotation.from_euler("xyz", [0.4, -1.1, 2.0]).as_matrix()
    one = surface_of(vertices.astype(float), faces, 8)
    two = surface_of(7 * vertices @ turn.T + 3, faces, 8)
    assert np.allclose(one.values, two.values, rtol=1e-3, atol=1e-3)
    assert np.allclose(one.turned(turn.astype(np.float32)).vertices, two.vertices, atol=1e-5)
    assert np.allclose(one.turned(turn.astype(np.float32)).normals, two.normals, atol=1e-5)


@pytest.mark.parametrize("subdivisions", [2, 3, 4])
def test_heat_spreads_alike_on_all_triangles(subdivisions):
    """The height is an eigenfunction of the sphere, and fades with its eigenvalue."""
    surface = surface_of(*sphere(subdivisions), 64)
    height = surface.vertices[:, 1]
    amplitudes = np.exp(-0.02 * surface.values) * (surface.vectors.T @ (surface.masses * height))
    expected = height * np.exp(-0.02 * 2 * 4 * np.pi)
    assert np.abs(surface.vectors @ amplitudes - expected).max() < 0.02 * expected.max()


@pytest.mark.parametrize("flat", [np.zeros((4, 3)), np.eye(3)])
def test_what_is_no_surface_is_refused(flat):
    with pytest.raises(MeshError):
        surface_of(flat, np.array([[0, 1, 2]]), 8)
