"""What the released losses get wrong, and the plain formulas."""

import numpy as np
import pytest
import torch
import trimesh

from repose.gih.solver import all_pairs
from repose.mesh.operators import unique_edges
from repose.mesh.patches import patch_table
from repose.methods.iepgan.losses import (
    central_distances,
    distances_of,
    edge_length_errors,
    gradient_penalty,
    patch_distortion,
    real_fake_loss,
)

SPHERE = trimesh.creation.icosphere(subdivisions=2)
EDGES = torch.from_numpy(unique_edges(SPHERE.faces)).long()


def bodies(count=2, seed=0):
    """Bumpy spheres, (count, 162, 3)."""
    x = torch.tensor(np.asarray(SPHERE.vertices)).repeat(count, 1, 1)
    return x + 0.02 * torch.randn(x.shape, generator=torch.Generator().manual_seed(seed), dtype=x.dtype)


@pytest.fixture(scope="module")
def patches():
    table = patch_table(SPHERE.faces, 162, 40)
    return tuple(torch.from_numpy(x) for x in table.padded(table.choose(np.arange(162.0), 2)))


def test_distances_of_the_identity_itself_cost_nothing(patches):
    x = bodies()
    assert patch_distortion(x, distances_of(x, patches), patches) == 0


def test_distances_of_the_whole_mesh_leave_a_small_floor(patches):
    x = bodies()
    vertices = patches[0].numpy()
    whole = [all_pairs(mesh.numpy(), SPHERE.faces) for mesh in x]
    target = torch.from_numpy(np.stack([[m[np.ix_(p, p)] for p in vertices] for m in whole]))
    assert 0 < patch_distortion(x, target, patches) < 1e-2


@pytest.mark.parametrize("scale", [0.8, 1.2])
def test_a_shrunken_mesh_is_pushed_to_grow_and_a_grown_one_to_shrink(patches, scale):
    x = bodies()
    target = distances_of(x, patches)
    s = torch.tensor(scale, dtype=torch.float64, requires_grad=True)
    assert torch.allclose(distances_of(scale * x, patches), scale * target)
    patch_distortion(s * x, target, patches).backward()
    real = patches[1].double()
    squares = target.square() * (real[:, :, None] * real[:, None])
    mean = (squares.sum((2, 3)) / real.sum(1).square()).mean()
    assert s.grad.item() == pytest.approx(-2 * (1 - scale) * mean.item(), rel=1e-6)


def test_rigid_motion_changes_nothing(patches):
    x, y = bodies(seed=0), bodies(seed=1)
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(2)).double())[0]
    rotation = rotation * torch.linalg.det(rotation)
    target = distances_of(x, patches)
    still = patch_distortion(y, target, patches)
    moved = patch_distortion(y @ rotation.T + 3, target, patches)
    assert still > 1e-6 and moved.item() == pytest.approx(still.item(), rel=1e-6)


def test_distortion_and_its_gradient_are_the_plain_mean_over_all_patches(patches):
    target, y = distances_of(bodies(), patches), bodies(seed=1).requires_grad_()
    real = patches[1][:, :, None] & patches[1][:, None]
    squares = (target - distances_of(y, patches)).square()
    means = [squares[:, k][:, real[k]].mean(dim=1) for k in range(len(real))]
    plain = torch.stack(means).mean()
    (expected,) = torch.autograd.grad(plain, y)
    found = patch_distortion(y, target, patches)
    (gradient,) = torch.autograd.grad(found, y)
    assert torch.allclose(found, plain) and torch.allclose(gradient, expected, atol=1e-12)


def test_every_vertex_gets_a_gradient_from_the_local_loss():
    y = bodies(seed=1).requires_grad_()
    central_distances(y, bodies(seed=0), EDGES).mean().backward()
    assert (y.grad != 0).all()


def test_local_losses_are_the_plain_formulas():
    x, y = bodies(seed=0).numpy(), bodies(seed=1).numpy()
    local, lengths = np.zeros((2, 162)), np.zeros(162)
    neighbours = [set() for _ in range(162)]
    for a, b in EDGES.tolist():
        neighbours[a].add(b)
        neighbours[b].add(a)
    for v, around in enumerate(neighbours):
        u = sorted(around)
        change = (y[:, u] - y[:, [v]]) - (x[:, u] - x[:, [v]])
        local[:, v] = (change**2).mean((1, 2))
        norms = [np.linalg.norm(z[:, u] - z[:, [v]], axis=2) for z in (y, x)]
        lengths[v] = np.abs(norms[0] - norms[1]).mean()
    ours = central_distances(torch.from_numpy(y), torch.from_numpy(x), EDGES)
    assert np.abs(ours.numpy() - local).max() < 1e-14
    ours = edge_length_errors(torch.from_numpy(y), torch.from_numpy(x), EDGES)
    assert np.abs(ours.numpy() - lengths).max() < 1e-14


def test_r1_is_the_squared_gradient_and_can_be_learned_from():
    weight = torch.tensor([1.0, -2.0, 0.5], requires_grad=True)
    x = torch.randn(4, 10, 3, requires_grad=True)
    penalty = gradient_penalty((x.square() @ weight).sum(1), (x,))
    assert penalty.item() == pytest.approx((2 * x * weight).square().sum((1, 2)).mean().item(), rel=1e-5)
    penalty.backward()
    assert (weight.grad != 0).all()


def test_a_discriminator_that_cannot_tell_pays_two_log_two():
    assert real_fake_loss(torch.zeros(3), torch.zeros(3)).item() == pytest.approx(2 * np.log(2))
