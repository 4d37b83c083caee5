"""What a GPU is given padded, of odd widths and vertex counts, computed on the CPU: as without padding."""

import copy

import pytest
import torch

from repose.methods.cgt.network import Cgt
from repose.methods.corenet.ablated import AblatedCoreNet
from repose.methods.corenet.network import CoreNet
from repose.methods.layers import padding
from repose.methods.layers.transport import transport_match
from repose.methods.njf.network import Njf
from repose.methods.npt.network import Npt
from repose.methods.xdualnet.matching import there_and_back
from repose.methods.xdualnet.network import XDualNet
from tests.methods.helpers import enliven, gradient_errors, relative

SMALL = {"width": 12, "refine_width": 16}
NETWORKS = {
    "npt": lambda: Npt(width=20),  # 23, 11 and 5 channels
    "npt-original": lambda: Npt(width=20, pooling="none"),
    "cgt": lambda: Cgt(width=12),
    "corenet": lambda: CoreNet(**SMALL, residual_blocks=1),
    "corenet-faithful": lambda: CoreNet(**SMALL, residual_blocks=1, faithful=True),
    "corenet-no-elain": lambda: AblatedCoreNet(**SMALL, residual_blocks=1, elain=False),
    "corenet-no-warp": lambda: AblatedCoreNet(**SMALL, residual_blocks=1, warp=False),
    "xdualnet": lambda: XDualNet(**SMALL, neighbours=5),
}


@pytest.fixture
def padded(monkeypatch):
    """A function that calls another as on a GPU, as far as padding goes."""

    def call(function, *args):
        with monkeypatch.context() as patch:
            patch.setattr(padding, "_DEVICES", ("cpu",))
            return function(*args)

    return call


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_are_the_same(padded, name):
    torch.manual_seed(0)
    ours = enliven(NETWORKS[name]()).double().eval()
    plain = copy.deepcopy(ours)
    identity, pose, truth = torch.randn(3, 2, 21, 3, dtype=torch.float64)

    def loss(network):
        found = network(identity, pose)
        warp = 0 if found.warp is None else (found.warp - truth).square().mean()
        return (found.vertices - truth).square().mean() + warp

    assert (
        relative(padded(copy.deepcopy(ours), identity, pose).vertices, plain(identity, pose).vertices) < 1e-10
    )
    errors = gradient_errors(ours, plain, lambda net: padded(loss, net), loss)
    assert max(errors.values()) < 1e-8


@pytest.mark.parametrize("back", [None, "means", "sums"])
def test_transport_is_the_same(padded, back):
    torch.manual_seed(0)
    sizes = (2, 13, 6), (2, 11, 6), (2, 11, 3)
    inputs = [torch.randn(size, dtype=torch.float64, requires_grad=True) for size in sizes]

    def found():
        unit = [x / x.norm(dim=2, keepdim=True) for x in inputs[:2]]
        out = [x for x in there_and_back(*unit, inputs[2], back) if x is not None]
        loss = torch.stack([(x * torch.arange(3)).square().sum() for x in out]).sum()
        warp, strongest = transport_match(*unit, inputs[2])
        return *out, *torch.autograd.grad(loss + warp.square().sum(), inputs), strongest.double()

    for ours, plain in zip(padded(found), found(), strict=True):
        assert relative(ours, plain) < 1e-8


def test_codes_of_meshes_are_the_same(padded):
    torch.manual_seed(0)
    network, seen = Njf(width=8, code=16).double(), torch.randn(2, 30, 106, dtype=torch.float64)
    wide = padded(padding.padded, seen, 2)
    assert wide.shape == (2, 30, 112)
    assert relative(padded(network.encode, wide), network.encode(seen)) < 1e-10
