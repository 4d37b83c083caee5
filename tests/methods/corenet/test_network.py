from functools import partial

import pytest
import torch
from torch import nn

from repose.bench import plain_corenet as reference
from repose.methods.corenet.network import CoreNet
from repose.methods.layers.spectral import SpectralLinear
from repose.methods.mapconnet.network import MapConNet
from tests.methods.helpers import assert_single_precision, enliven, gradient_errors, relative, twins


def small(faithful=False, seed=0):
    torch.manual_seed(seed)
    return CoreNet(width=16, residual_blocks=2, refine_width=32, faithful=faithful)


def meshes(dtype, n=47, m=61, near=False, seed=3):
    torch.manual_seed(seed)
    identity = torch.randn(2, n, 3, dtype=dtype)
    if not near:
        return identity, torch.randn(2, m, 3, dtype=dtype)
    extra = identity[:, torch.randint(n, (m - n,))]
    return identity, torch.cat([identity, extra], 1) + 0.01 * torch.randn(2, m, 3, dtype=dtype)


def test_parameter_count_as_released():
    with torch.device("meta"):
        net = CoreNet(faithful=True)
    assert sum(p.numel() for p in net.parameters()) == 24_461_447
    assert sum(p.numel() for p in net.correspondence.parameters()) == 699_524


@pytest.mark.parametrize("faithful", [False, True])
@pytest.mark.parametrize("near", [False, True])
@pytest.mark.parametrize("alive", [False, True])
def test_equals_plain_formula(faithful, near, alive):
    dtype = torch.float64
    ours, plain = twins(enliven(small(faithful)) if alive else small(faithful), dtype)
    identity, pose = meshes(dtype, near=near)
    truth = torch.randn(2, 47, 3, dtype=dtype)

    def loss(vertices, warp):
        return (vertices - truth).square().mean() + 0.1 * (warp - truth).square().mean()

    errors = gradient_errors(
        ours,
        plain,
        lambda n: loss(*n(identity, pose)[:2]),
        lambda n: loss(*reference.corenet(n, identity, pose)[:2]),
    )
    assert max(errors.values()) < 1e-8, errors
    ours.eval(), plain.load_state_dict(ours.state_dict()), plain.eval()
    for a, b in zip(ours(identity, pose)[:2], reference.corenet(plain, identity, pose)[:2], strict=True):
        assert relative(a, b) < 1e-8


@pytest.mark.parametrize("near", [False, True])
@pytest.mark.parametrize("alive", [False, True])
def test_single_precision_is_as_near_to_the_truth_as_the_plain_form(near, alive):
    def draw(seed):
        net = small(seed=seed)
        return enliven(net, seed) if alive else net, meshes(torch.float32, near=near, seed=seed)

    assert_single_precision(
        draw, lambda net, *pair: net(*pair).vertices, lambda net, *pair: reference.corenet(net, *pair)[0]
    )


def permuted_difference(net):
    identity, pose = meshes(torch.float64)
    p, q = torch.randperm(47), torch.randperm(61)
    net = net.double().eval()
    return relative(net(identity[:, p], pose[:, q]).vertices, net(identity, pose).vertices[:, p])


def test_default_does_not_depend_on_vertex_order():
    assert permuted_difference(enliven(small())) < 1e-9


def test_faithful_depends_on_vertex_order():
    assert permuted_difference(enliven(small(faithful=True))) > 1e-3


def test_fresh_net_is_sound_in_eval_mode():
    identity, pose = meshes(torch.float32)
    for faithful, largest in ((False, 1.999), (True, 1.0)):
        vertices = small(faithful).eval()(identity, pose).vertices
        assert vertices.isfinite().all() and vertices.abs().max() < largest
        assert vertices.std() < 0.9, "stale singular vectors would saturate the output at ±2"


@pytest.mark.parametrize("network", [CoreNet, partial(MapConNet, identity_channels=32)])
@pytest.mark.parametrize("faithful", [False, True])
def test_only_a_released_generator_starts_tiny_and_never_under_a_spectral_norm(network, faithful):
    torch.manual_seed(0)
    net = network(width=64, residual_blocks=1, refine_width=128, faithful=faithful)
    for name, layer in net.named_modules():
        if isinstance(layer, nn.Linear) and layer.weight.numel() > 1000:
            tiny = (faithful or "correspondence" in name) and not isinstance(layer, SpectralLinear)
            fans = sum(layer.weight.shape)
            if faithful and name == "refinement.fc":
                fans = 9 + 3 * layer.out_features  # of the released convolution of kernel 3
            xavier, own = (2 / fans) ** 0.5, (3 * layer.in_features) ** -0.5
            assert layer.weight.std().item() == pytest.approx(0.02 * xavier if tiny else own, rel=0.1), name
        if isinstance(layer, SpectralLinear):
            assert torch.linalg.matrix_norm(layer.normalised_weight(), 2).item() == pytest.approx(1, abs=0.05)


def test_a_residual_generator_starts_from_the_warp_and_leaves_it():
    torch.manual_seed(0)
    network = CoreNet(width=16, residual_blocks=2, refine_width=32, residual=True).double()
    identity, pose = meshes(torch.float64)
    first = network(identity, pose)
    assert torch.equal(first.vertices, first.warp)
    torch.testing.assert_close(
        network.refine(first.warp, network.correspondence.encode(identity)), first.vertices
    )
    first.vertices.square().mean().backward()
    torch.optim.SGD(network.parameters(), 1.0).step()
    then = network(identity, pose)
    assert not torch.equal(then.vertices, then.warp)
