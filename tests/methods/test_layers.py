import pytest
import torch
from torch.nn import functional as F

from repose.methods.layers import transport
from repose.methods.layers.modulation import modulate, with_ones
from repose.methods.layers.spectral import SpectralLinear
from repose.methods.layers.statistics import centre, instance_norm
from tests.methods import reference
from tests.methods.helpers import relative, tolerance


def unit_features(dtype, near):
    """Features at random, or those of nearly matched meshes; 70 against 61 vertices."""
    torch.manual_seed(0)
    phi = torch.randn(2, 61, 12, dtype=dtype)
    theta = torch.randn(2, 70, 12, dtype=dtype)
    if near:
        theta = phi[:, torch.randint(61, (70,))] + 1e-3 * theta
    return F.normalize(theta, dim=-1).requires_grad_(), F.normalize(phi, dim=-1).requires_grad_()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("near", [False, True])
@pytest.mark.parametrize("held", [False, True])
def test_transport_equals_plain_formula(monkeypatch, dtype, near, held):
    monkeypatch.setattr(transport, "_TILE_ENTRIES", 2 * 61 * 16)  # several tiles, the last one short
    if not held:
        monkeypatch.setattr(transport, "_KEPT_ENTRIES", 0)
    theta, phi = unit_features(dtype, near)
    points = torch.randn(2, 61, 3, dtype=dtype, requires_grad=True)
    weight = torch.randn(2, 70, 3, dtype=dtype)
    ours = transport.transport_warp(theta, phi, points)
    plain = reference.transport_warp(theta, phi, points)
    assert relative(ours, plain) < tolerance(dtype)
    g_ours = torch.autograd.grad((ours * weight).sum(), (theta, phi, points))
    g_plain = torch.autograd.grad((plain * weight).sum(), (theta, phi, points))
    for a, b in zip(g_ours, g_plain, strict=True):
        assert relative(a, b) < tolerance(dtype)


def test_transport_keeps_nothing_quadratic_for_backward():
    theta, phi = unit_features(torch.float32, False)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        transport.transport_warp(theta, phi, torch.randn(2, 61, 3))
    assert max(kept) < 2 * 70 * 61


def test_transport_stays_in_single_precision_under_autocast():
    theta, phi = unit_features(torch.bfloat16, False)
    with torch.autocast("cpu", torch.bfloat16):
        assert transport.transport_warp(theta, phi, torch.randn(2, 61, 3)).dtype == torch.float32


def act(slope):
    return lambda x, cond, scale, shift: modulate(x, with_ones(cond), scale, shift, slope)


def test_custom_gradients():
    torch.manual_seed(0)
    x = torch.randn(2, 7, 3, dtype=torch.float64, requires_grad=True)
    cond = torch.randn(2, 7, 4, dtype=torch.float64, requires_grad=True)
    wide = torch.randn(2, 7, 11, dtype=torch.float64, requires_grad=True)
    mats = [torch.randn(2, k + 1, 3, dtype=torch.float64, requires_grad=True) for k in (4, 4, 11, 11)]
    assert torch.autograd.gradcheck(instance_norm, x)
    assert torch.autograd.gradcheck(centre, x)
    for slope in (0.0, 0.2):
        assert torch.autograd.gradcheck(act(slope), (x, cond, *mats[:2]))
        assert torch.autograd.gradcheck(act(slope), (x, wide, *mats[2:]))


def test_statistics():
    x = torch.randn(2, 50, 3, dtype=torch.float64) + 3
    centred, mean, squares = centre(x)
    assert torch.allclose(centred + mean, x)
    assert torch.allclose(squares / 49, x.var(1, keepdim=True))
    assert torch.allclose(instance_norm(x), F.instance_norm(x.mT).mT)


def test_spectral_weight_has_norm_one_at_once_and_moves_only_in_training():
    layer = SpectralLinear(20, 30).eval()
    assert abs(torch.linalg.matrix_norm(layer.normalised_weight(), 2).item() - 1) < 1e-3
    u = layer.u.clone()
    layer(torch.randn(4, 20))
    assert torch.equal(u, layer.u)
    with torch.no_grad():
        layer.weight.normal_()
    layer.train()(torch.randn(4, 20))
    assert not torch.equal(u, layer.u)


def test_spectral_survives_two_forward_passes_before_backward():
    layer = SpectralLinear(5, 5)
    (layer(torch.randn(2, 5)) + layer(torch.randn(2, 5))).sum().backward()
    assert layer.weight.grad.isfinite().all()
