"""Jacobians and the Poisson equation against plain maths, in float64."""

import igl
import numpy as np
import pytest
import scipy.sparse as sp
import torch
import trimesh

from repose.errors import MeshError
from repose.mesh.poisson import Poisson, completed, jacobians
from repose.mesh.poisson_equation import Factor, PoissonEquation, inverse_edges

SPHERE = trimesh.creation.icosphere(subdivisions=1)  # 42 vertices
REST, FACES = np.asarray(SPHERE.vertices) * [0.3, 1, 0.5], np.asarray(SPHERE.faces)
DOUBLE = torch.float64


def poisson(rest=REST, faces=FACES, dtype=DOUBLE):
    return Poisson(rest, faces).to("cpu", dtype)


def field(posed, rest=REST, faces=FACES):
    inverses = torch.from_numpy(inverse_edges(rest, faces))
    return jacobians(posed, torch.from_numpy(faces), inverses)


def posed(count=2, seed=0, rest=REST):
    shape = (count, *rest.shape)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)
    return torch.from_numpy(rest) + 0.2 * noise


def centred(x):
    return x - x.mean(1, keepdim=True)


def random_field(count=2, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, len(FACES), 3, 3, generator=generator, dtype=DOUBLE)


def normals(rest=REST, faces=FACES):
    return torch.from_numpy(trimesh.Trimesh(rest, faces, process=False).face_normals.copy())


@pytest.mark.parametrize("columns", [1, 3, 24])
def test_a_factor_solves_as_a_dense_matrix_does(columns):
    rng = np.random.default_rng(0)
    some = sp.random_array((60, 60), density=0.05, rng=rng)
    matrix = (some @ some.T + sp.eye_array(60) * 1e-3).tocsc()
    right = rng.normal(size=(60, columns))
    given = right.copy()
    assert np.allclose(Factor(matrix).solve(right), np.linalg.solve(matrix.toarray(), right), rtol=1e-9)
    assert (right == given).all()


def test_a_body_at_rest_is_turned_by_the_projection_on_its_faces():
    n = normals()
    expected = torch.eye(3, dtype=DOUBLE) - n[:, :, None] * n[:, None]
    assert torch.allclose(field(torch.from_numpy(REST)[None])[0], expected, atol=1e-12)
    assert (field(posed()) @ n[:, :, None]).abs().max() < 1e-12


def test_jacobians_are_the_gradients_of_libigl():
    x = posed(1)[0]
    gradients = igl.grad(REST, FACES.astype(np.int64)) @ x.numpy()  # rows: ∂/∂x of all faces, ∂/∂y, ∂/∂z
    expected = gradients.reshape(3, len(FACES), 3).transpose(1, 2, 0)
    assert np.allclose(field(x[None])[0].numpy(), expected, atol=1e-12)


def test_a_body_comes_back_from_its_jacobians():
    x = posed()
    assert torch.allclose(poisson()(field(x)), centred(x), atol=1e-12)
    single = poisson(dtype=torch.float32)(field(x).float())
    assert single.dtype == torch.float32
    assert (single - centred(x)).abs().max() < 1e-5


def test_it_is_the_least_squares_solution():
    j = random_field(1)
    gradient = igl.grad(REST, FACES.astype(np.int64)).toarray()
    weights = np.tile(np.sqrt(trimesh.Trimesh(REST, FACES, process=False).area_faces), 3)[:, None]
    right = j[0].numpy().transpose(2, 0, 1).reshape(-1, 3)
    expected = np.linalg.lstsq(weights * gradient, weights * right, rcond=None)[0]
    expected -= expected.mean(0)
    assert np.allclose(poisson()(j)[0].numpy(), expected, atol=1e-10)


def test_it_is_what_the_released_normal_equations_give():
    j = random_field(1)
    gradient = igl.grad(REST, FACES.astype(np.int64)).toarray()
    area = np.tile(igl.doublearea(REST, FACES.astype(np.int64)), 3)[:, None]
    laplacian = gradient.T @ (area * gradient)
    right = laplacian.T @ (gradient.T @ (area * j[0].numpy().transpose(2, 0, 1).reshape(-1, 3)))
    matrix = laplacian.T @ laplacian
    matrix[0, 0] += 1e5  # vertex 0 is drawn to the origin
    expected = np.linalg.solve(matrix, right)
    assert np.allclose(poisson()(j)[0].numpy(), expected - expected.mean(0), atol=1e-7)


def test_the_normal_direction_says_nothing_and_rotations_go_through():
    j, n, solve = random_field(), normals(), poisson()
    aside = torch.randn(2, len(FACES), 3, 1, dtype=DOUBLE, generator=torch.Generator().manual_seed(3))
    assert torch.allclose(solve(j + aside * n[:, None]), solve(j), atol=1e-12)
    turn = torch.from_numpy(trimesh.transformations.random_rotation_matrix(np.array([0.1, 0.5, 0.9]))[:3, :3])
    assert torch.allclose(solve(turn @ j), solve(j) @ turn.T, atol=1e-12)


@pytest.mark.parametrize("parts", [1, 2])
def test_gradients(parts):
    rest = np.concatenate([REST + np.array([k, 0, 0]) for k in range(parts)])
    faces = np.concatenate([FACES + k * len(REST) for k in range(parts)])
    solve = poisson(rest, faces)
    j = field(posed(2, rest=rest), rest, faces).requires_grad_()
    assert torch.autograd.gradcheck(solve, (j,), fast_mode=True)


def test_the_dense_solver_of_a_gpu_gives_the_same():
    solver = poisson()._solver
    columns = torch.randn(len(REST) - 1, 5, dtype=DOUBLE, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(solver._on_device(columns), solver(columns), atol=1e-12)
    single = solver._on_device(columns.float())
    assert (
        single.dtype == torch.float32
        and (single - solver(columns)).abs().max() < 1e-5 * solver(columns).abs().max()
    )


def test_completed_jacobians_carry_the_normal():
    solve = poisson()
    x = posed()
    full = completed(field(x), solve.tangents)
    edges = x[:, FACES[:, 1]] - x[:, FACES[:, 0]], x[:, FACES[:, 2]] - x[:, FACES[:, 0]]
    expected = torch.nn.functional.normalize(torch.linalg.cross(*edges), dim=-1)
    assert torch.allclose((full @ normals()[:, :, None])[..., 0], expected, atol=1e-12)
    assert torch.allclose(solve(full), solve(field(x)), atol=1e-12)


@pytest.mark.parametrize("parts", [1, 3])
def test_without_pytorch_it_is_the_same(parts):
    """Also where parts are stitched; maps that mirror, too."""
    rest = np.concatenate([REST + np.array([k, 0.1 * k, 0]) for k in range(parts)])
    faces = np.concatenate([FACES + k * len(REST) for k in range(parts)])
    plain, learns, x = PoissonEquation(rest, faces), poisson(rest, faces), posed(1, rest=rest)
    full = completed(field(x, rest, faces), learns.tangents)
    maps = plain.jacobians(x[0].numpy())
    assert np.abs(maps - full[0].numpy()).max() < 1e-12
    assert np.abs(plain.vertices(maps) - learns(full)[0].numpy()).max() < 1e-12


def test_a_needle_has_gradients():
    """Its edges are one in the products of float64."""
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1e-9, 0], [0, 1, 0]])
    found = inverse_edges(corners, np.array([[0, 1, 2], [0, 1, 3]]))
    edges = corners[[[1, 2], [1, 3]]]
    assert np.allclose(found @ edges.transpose(0, 2, 1), np.eye(2), atol=1e-6)


def two_bodies(gap):
    offset = [REST[:, 0].max() - REST[:, 0].min() + gap, 0, 0]
    return np.concatenate([REST, REST + offset]), np.concatenate([FACES, FACES + len(REST)])


def test_parts_that_turn_as_one_stay_as_they_were():
    rest, faces = two_bodies(0.2)
    turn = trimesh.transformations.rotation_matrix(1.1, [1, 2, 3])[:3, :3]
    x = torch.from_numpy(rest @ turn.T)[None]
    assert torch.allclose(poisson(rest, faces)(field(x, rest, faces)), centred(x), atol=1e-10)


def test_a_part_drifts_by_little_of_the_gap():
    rest, faces = two_bodies(0.2)
    bent = rest.copy()
    bent[:, 1] += 0.03 * rest[:, 0] ** 2  # smooth, not rigid
    x = torch.from_numpy(bent)[None]
    out = poisson(rest, faces)(field(x, rest, faces))
    apart = (out - centred(x))[0]
    drift = (apart[: len(REST)].mean(0) - apart[len(REST) :].mean(0)).norm()
    assert drift < 0.03 * 0.2
    assert drift > 0  # nothing else is known of the place of a part


def test_a_chain_of_parts_and_a_lone_vertex_are_held():
    rest = np.concatenate([REST, REST + np.array([3, 0, 0]), REST + np.array([6, 0, 0]), [[0, 3.0, 0]]])
    faces = np.concatenate([FACES + k * len(REST) for k in range(3)])
    turn = trimesh.transformations.rotation_matrix(0.7, [0, 2, 3])[:3, :3]
    x = torch.from_numpy(rest @ turn.T)[None]
    assert torch.allclose(poisson(rest, faces)(field(x, rest, faces)), centred(x), atol=1e-10)


def test_a_face_without_area_is_refused():
    rest = REST.copy()
    rest[FACES[7, 1]] = rest[FACES[7, 0]]
    with pytest.raises(MeshError, match=r"have no area, the first is face"):
        poisson(rest)
