import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from repose.mesh.metrics import chamfer, edge_error, mpve_mm, pmd


def pair(seed, spread=0.1, count=30):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(2, count, 3))
    return torch.tensor(truth + spread * rng.normal(size=truth.shape)), torch.tensor(truth)


def plain_centred(x):
    return x - (x.min(0) + x.max(0)) / 2


def test_pmd_is_the_mean_over_all_coordinates_of_centred_meshes():
    out, truth = pair(0)
    for value, a, b in zip(pmd(out, truth), out.numpy(), truth.numpy(), strict=True):
        assert value.item() == pytest.approx(((plain_centred(a) - plain_centred(b)) ** 2).mean(), rel=1e-12)


def test_known_values():
    truth = torch.tensor([[[0.0, 0, 0], [2, 0, 0], [0, 2, 0], [0, 0, 2], [1, 1, 1]]])
    out = truth.clone()
    out[0, 4, 0] += 0.3  # inside the box, so the centre stays
    assert pmd(out, truth).item() == pytest.approx(0.09 / 15)
    assert mpve_mm(out, truth).item() == pytest.approx(60)
    assert chamfer(out, truth).item() == pytest.approx(2 * 0.09 / 5)
    edges = torch.tensor([[0, 1], [0, 4]])
    stretched = (1.3**2 + 2) ** 0.5 / 3**0.5 - 1
    assert edge_error(out, truth, edges).item() == pytest.approx(stretched / 2)
    with_none = torch.cat([edges, torch.tensor([[2, 2]])])  # of no length, as two vertices at one place have
    assert edge_error(out, truth, with_none).item() == pytest.approx(stretched / 2)


@given(seed=st.integers(0, 10_000), spread=st.floats(0.001, 3))
@settings(max_examples=50)
def test_chamfer_never_exceeds_six_pmd_and_moving_a_mesh_changes_nothing(seed, spread):
    out, truth = pair(seed, spread)
    assert (chamfer(out, truth) <= 6 * pmd(out, truth) * (1 + 1e-9)).all()
    moved = out + torch.tensor([5.0, -2, 1])
    assert torch.allclose(pmd(moved, truth), pmd(out, truth), rtol=1e-9)
    assert torch.allclose(mpve_mm(moved, truth), mpve_mm(out, truth), rtol=1e-9)


def test_chamfer_is_the_sum_of_both_directions_by_brute_force():
    out, truth = pair(5, spread=0.8)
    for value, a, b in zip(chamfer(out, truth), out.numpy(), truth.numpy(), strict=True):
        squared = ((plain_centred(a)[:, None] - plain_centred(b)[None]) ** 2).sum(-1)
        assert value.item() == pytest.approx(squared.min(0).mean() + squared.min(1).mean(), rel=1e-9)
