"""The ablated networks: what is taken out is out, the rest is 3D-CoreNet."""

import pytest
import torch
from torch import nn

from repose.models.corenet import CoreNet
from repose.models.corenet_ablated import AblatedCoreNet
from repose.models.layers.elain import ElaIN
from repose.models.layers.spectral import SpectralLinear
from tests.models import reference
from tests.models.helpers import enliven, gradient_errors, relative, twins

SIZES = {"width": 16, "residual_blocks": 2, "refine_width": 32}


def net(**options):
    torch.manual_seed(0)
    return enliven(AblatedCoreNet(**SIZES, **options)).double().eval()


def meshes(n=47, m=61):
    torch.manual_seed(3)
    return torch.randn(2, n, 3).double(), torch.randn(2, m, 3).double()


def norms(network):
    return [layer for layer in network.modules() if isinstance(layer, ElaIN)]


def test_with_every_part_it_is_corenet():
    network = net()
    whole = CoreNet(**SIZES).double().eval()
    whole.load_state_dict(network.state_dict())
    for ours, theirs in zip(network(*meshes()), whole(*meshes()), strict=True):
        assert torch.equal(ours, theirs)


def plain_norm(x, f, module):
    """Conditional instance norm: γ and β from the condition alone, unbiased variance, 1 + γ as in ElaIN."""
    h = reference.conv(f, module.mlp_same)
    mean, std = x.mean(2, keepdim=True), (x.var(2, keepdim=True) + 1e-5).sqrt()
    return (x - mean) / std * (1 + reference.conv(h, module.mlp_gamma)) + reference.conv(h, module.mlp_beta)


def test_without_elain_it_is_conditional_instance_norm(monkeypatch):
    ours, plain = twins(net(elain=False), torch.float64)
    monkeypatch.setattr(reference, "elain", plain_norm)
    identity, pose = meshes()
    for a, b in zip(ours(identity, pose), reference.corenet(plain, identity, pose), strict=True):
        assert relative(a, b) < 1e-8
    errors = gradient_errors(
        ours,
        plain,
        lambda n: n(identity, pose).vertices.square().mean(),
        lambda n: reference.corenet(n, identity, pose)[0].square().mean(),
    )
    assert max(errors.values()) < 1e-8, errors
    assert not any("mlp_weight" in name for name, _ in ours.named_parameters())


def test_without_the_warp_only_a_pooled_feature_knows_the_pose():
    network = net(warp=False)
    identity, pose = meshes()
    out = network(identity, pose)
    assert out.warp is None and not any("theta" in n or "phi" in n for n, _ in network.named_parameters())
    f_identity, f_pose = (reference.encode(network.correspondence, x) for x in (identity, pose))
    x = torch.cat([identity.mT, f_pose.amax(2, keepdim=True).expand(-1, -1, 47)], dim=1)
    assert relative(out.vertices, reference.refinement(network.refinement, x.mT, f_identity)) < 1e-8
    order, other = torch.randperm(47), torch.randperm(61)
    assert relative(network(identity[:, order], pose[:, other]).vertices, out.vertices[:, order]) < 1e-9
    assert relative(network(identity, 2 * pose.flip(0)).vertices, out.vertices) > 1e-3


@pytest.mark.parametrize("options", [{"elain": False}, {"warp": False}])
def test_every_parameter_that_is_left_learns(options):
    network = net(**options).train()
    network(*meshes()).vertices.square().mean().backward()
    idle = {
        n for n, p in network.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())
    }
    assert not idle


def test_weights_under_a_spectral_norm_do_not_start_tiny():
    torch.manual_seed(0)
    network = CoreNet(width=64, residual_blocks=1, refine_width=128)
    for layer in network.modules():
        if isinstance(layer, SpectralLinear):
            fan_in = layer.in_features
            assert layer.weight.std().item() == pytest.approx((3 * fan_in) ** -0.5, rel=0.1)
            assert torch.linalg.matrix_norm(layer.normalised_weight(), 2).item() == pytest.approx(1, abs=0.05)
        elif isinstance(layer, nn.Linear) and layer.weight.numel() > 1000:
            xavier = (2 / sum(layer.weight.shape)) ** 0.5
            assert layer.weight.std().item() == pytest.approx(0.02 * xavier, rel=0.1)
