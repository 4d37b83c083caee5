import numpy as np
import pytest
import torch
import trimesh

from repose.methods.iepgan.stretch import by_distances, by_tree, edges, measured_stretch, nearest, stretched
from tests.methods.helpers import relative

SPHERE = torch.tensor(np.asarray(trimesh.creation.icosphere(subdivisions=2).vertices))[None]
STRETCH = torch.tensor([1.3, 0.9, 1.0], dtype=torch.float64)


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_distances_of_all_pairs_find_what_the_tree_finds():
    points = random(2, 300, 6).float()
    assert torch.equal(by_distances(points, 9), by_tree(points, 9))


def test_vertices_solve_the_plain_least_squares():
    x, s = random(1, 20, 3), 0.2 * random(1, 20, 6, seed=1)
    near = nearest(x, x)
    rows, sides = [], []
    matrices = np.zeros((20, 3, 3))
    for v, (xx, yy, zz, yz, xz, xy) in enumerate(s[0].tolist()):
        yz, xz, xy = (c / 2**0.5 for c in (yz, xz, xy))
        matrices[v] = np.eye(3) + np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    points = x[0].numpy()
    for i in range(20):
        for j in near[0, i].tolist():
            rows.append(np.eye(20)[i] - np.eye(20)[j])
            sides.append((matrices[i] + matrices[j]) / 2 @ (points[i] - points[j]))
    anchor = 1e-2  # the root of the weight of staying
    system = np.concatenate([rows, anchor * np.eye(20)])
    plain = np.linalg.lstsq(system, np.concatenate([sides, anchor * points]), rcond=None)[0]
    assert np.abs(stretched(x, s, near)[0].numpy() - plain).max() < 1e-10


def test_gradients_of_the_linear_system():
    x, s = random(2, 12, 3), 0.2 * random(2, 12, 6, seed=1)
    near = nearest(x, x)
    assert torch.autograd.gradcheck(
        lambda x, s: stretched(x, s, near), (x.requires_grad_(), s.requires_grad_())
    )


def test_no_stretch_moves_nothing_and_an_equal_one_enlarges():
    near = nearest(SPHERE, SPHERE)
    none = torch.zeros(1, 162, 6, dtype=torch.float64)
    assert torch.equal(stretched(SPHERE, none, near), SPHERE)
    none[..., :3] = 0.1
    assert relative(stretched(SPHERE, none, near), 1.1 * SPHERE) < 1e-3


def test_the_measured_stretch_brings_lengths_of_the_identity():
    identity = SPHERE * STRETCH
    near = nearest(identity, SPHERE)
    assert measured_stretch(SPHERE, SPHERE, near).abs().max() < 1e-12
    found = stretched(SPHERE, measured_stretch(identity, SPHERE, near), near)
    wrong = [
        (edges(x, near).norm(dim=3) - edges(identity, near).norm(dim=3)).abs().mean() for x in (found, SPHERE)
    ]
    assert wrong[0] < 0.35 * wrong[1]


def test_the_measured_stretch_does_not_see_where_the_identity_is_turned_to_and_turns_with_the_pose():
    rotation = torch.linalg.qr(random(3, 3))[0]
    rotation = rotation * torch.linalg.det(rotation)
    identity = SPHERE * STRETCH
    near = nearest(identity, SPHERE)
    still = measured_stretch(identity, SPHERE, near)
    assert torch.allclose(measured_stretch(identity @ rotation.T + 2, SPHERE, near), still, atol=1e-9)
    turned = SPHERE @ rotation.T
    there = stretched(turned, measured_stretch(identity, turned, near), near)
    assert relative(there, stretched(SPHERE, still, near) @ rotation.T) < 1e-9


def test_only_what_is_near_in_both_meshes_is_near():
    body = torch.zeros(1, 20, 3, dtype=torch.float64)
    body[0, :, 0] = torch.arange(20)
    bent = body.clone()
    bent[0, 10:, 0], bent[0, 10:, 1] = 19 - body[0, 10:, 0], 0.1  # vertex 19 lies at vertex 0
    assert 19 in nearest(bent, bent)[0, 0] and 19 not in nearest(body, bent)[0, 0]


@pytest.mark.parametrize("count", [2, 5])
def test_few_vertices_are_near_again_and_again(count):
    x = random(1, count, 3)
    near = nearest(x, x)
    assert near.shape == (1, count, 8) and (near[0] != torch.arange(count)[:, None]).all()
    assert torch.isfinite(stretched(x, random(1, count, 6), near)).all()
