"""The ablated networks: what is taken out is out, the rest is 3D-CoreNet."""

import pytest
import torch
from torch import nn

from repose.methods.corenet.ablated import AblatedCoreNet
from repose.methods.corenet.network import CoreNet
from repose.methods.layers.elain import ElaIN
from tests.methods.helpers import enliven, relative

SIZES = {"width": 16, "residual_blocks": 2, "refine_width": 32}


def net(**options):
    torch.manual_seed(0)
    return enliven(AblatedCoreNet(**SIZES, **options)).double().eval()


def meshes(n=47, m=61):
    torch.manual_seed(3)
    return torch.randn(2, n, 3).double(), torch.randn(2, m, 3).double()


def test_with_every_part_it_is_corenet():
    network = net()
    whole = CoreNet(**SIZES).double().eval()
    whole.load_state_dict(network.state_dict())
    for ours, theirs in zip(network(*meshes())[:2], whole(*meshes())[:2], strict=True):
        assert torch.equal(ours, theirs)


def test_without_elain_it_is_elain_with_the_weight_fixed_to_one():
    network = net(elain=False)
    whole = CoreNet(**SIZES).double().eval()
    missing = whole.load_state_dict(network.state_dict(), strict=False).missing_keys
    assert missing and all("mlp_weight" in name for name in missing)
    for layer in whole.modules():
        if isinstance(layer, ElaIN):
            nn.init.zeros_(layer.mlp_weight.weight)
            nn.init.ones_(layer.mlp_weight.bias)
    ours, theirs = network(*meshes()), whole(*meshes())
    assert torch.equal(ours.warp, theirs.warp) and relative(ours.vertices, theirs.vertices) < 1e-12


def test_without_the_warp_only_a_pooled_feature_knows_the_pose():
    network = net(warp=False)
    identity, pose = meshes()
    out = network(identity, pose)
    assert out.warp is None and not any("theta" in n or "phi" in n for n, _ in network.named_parameters())
    order, other = torch.randperm(47), torch.randperm(61)
    assert relative(network(identity[:, order], pose[:, other]).vertices, out.vertices[:, order]) < 1e-9
    assert relative(network(identity, 2 * pose.flip(0)).vertices, out.vertices) > 1e-3


@pytest.mark.parametrize("options", [{"elain": False}, {"warp": False}])
def test_every_parameter_that_is_left_learns(options):
    torch.manual_seed(0)
    network = AblatedCoreNet(**SIZES, **options).double()
    network(*meshes()).vertices.square().mean().backward()
    idle = {
        n for n, p in network.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())
    }
    assert not idle
