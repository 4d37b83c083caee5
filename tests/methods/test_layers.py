import pytest
import torch
from torch import nn
from torch.nn import functional as F

from repose.methods.layers import transport
from repose.methods.layers.modulation import modulate, with_ones
from repose.methods.layers.spectral import SpectralLinear
from repose.methods.layers.statistics import centre, instance_norm
from tests.methods import reference
from tests.methods.helpers import assert_single_precision, relative


def unit_features(dtype, near, seed=0):
    """Features at random, or those of nearly matched meshes; 70 against 61 vertices."""
    torch.manual_seed(seed)
    phi = torch.randn(2, 61, 12)
    theta = torch.randn(2, 70, 12)
    if near:
        theta = phi[:, torch.randint(61, (70,))] + 1e-3 * theta
    return tuple(F.normalize(x, dim=-1).to(dtype) for x in (theta, phi))


def warp_and_gradients(warp, theta, phi):
    """The warp of random vertices, and the gradients of a random projection of it."""
    torch.manual_seed(1)
    inputs = [x.requires_grad_() for x in (theta.clone(), phi.clone(), torch.randn(2, 61, 3).to(theta))]
    out = warp(*inputs)
    return [out, *torch.autograd.grad((out * torch.randn(2, 70, 3).to(theta)).sum(), inputs)]


@pytest.fixture(params=[False, True], ids=["anew", "held"])
def tiles(request, monkeypatch):
    """Several tiles of the kernel, the last one short: held for a pass, or computed anew at every walk."""
    monkeypatch.setattr(transport, "_TILE_ENTRIES", 2 * 61 * 16)
    if not request.param:
        monkeypatch.setattr(transport, "_KEPT_ENTRIES", 0)


@pytest.mark.parametrize("near", [False, True])
@pytest.mark.usefixtures("tiles")
def test_transport_equals_plain_formula(near):
    features = unit_features(torch.float64, near)
    ours = warp_and_gradients(transport.transport_warp, *features)
    plain = warp_and_gradients(reference.transport_warp, *features)
    for a, b in zip(ours, plain, strict=True):
        assert relative(a, b) < 1e-8


@pytest.mark.parametrize("near", [False, True])
@pytest.mark.parametrize("which", range(4), ids=["warp", "by theta", "by phi", "by points"])
@pytest.mark.usefixtures("tiles")
def test_transport_in_single_precision_is_as_near_to_the_truth_as_the_plain_form(near, which):
    assert_single_precision(
        lambda seed: (nn.Identity(), unit_features(torch.float32, near, seed)),
        lambda _, *features: warp_and_gradients(transport.transport_warp, *features)[which],
        lambda _, *features: warp_and_gradients(reference.transport_warp, *features)[which],
    )


def test_transport_keeps_nothing_quadratic_for_backward():
    theta, phi = (x.requires_grad_() for x in unit_features(torch.float32, False))
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


@pytest.mark.parametrize("tile", [1 << 19, 2 * 2 * 3])  # all vertices at once, and two at a time
def test_custom_gradients(monkeypatch, tile):
    monkeypatch.setattr("repose.methods.layers.modulation._TILE_ENTRIES", tile)
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
