"""Networks as one graph for a compiler: the same numbers, no part left out."""

import numpy as np
import pytest
import torch

from repose.config.models import Compute
from repose.methods.cgt.network import Cgt
from repose.methods.corenet.ablated import AblatedCoreNet
from repose.methods.corenet.network import CoreNet
from repose.methods.npr_diffusion.denoiser import Denoiser
from repose.methods.npt.network import Npt
from tests.train.test_fit import fit, folder  # noqa: F401

# The whole way of a compiler, gradients included, but for its kernels, which take it a minute to write.
BACKEND = "aot_eager"


def meshes(*counts):
    draw = torch.Generator().manual_seed(0)
    return tuple(torch.randn(2, count, 3, generator=draw) for count in counts)


NETWORKS = {
    "npt": (lambda: Npt(16), meshes(20, 15)),
    "npt-original": (lambda: Npt(16, "none"), meshes(20, 20)),
    "cgt": (lambda: Cgt(16), meshes(20, 20)),
    "corenet": (lambda: CoreNet(8, 1, 8), meshes(20, 15)),
    "corenet-no-elain": (lambda: AblatedCoreNet(8, 1, 8, elain=False), meshes(20, 15)),
    "corenet-no-warp": (lambda: AblatedCoreNet(8, 1, 8, warp=False), meshes(20, 15)),
    "denoiser": (lambda: Denoiser(3, 3, 16, 1), (meshes(9)[0], torch.tensor([3, 700]), meshes(9)[0])),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_one_graph_with_the_gradients_it_had(name):
    make, given = NETWORKS[name]
    found = {}
    for compiled in (False, True):
        torch.manual_seed(0)
        network = make()
        if compiled:
            network.compile(fullgraph=True, backend=BACKEND)
        out = network(*given)
        loss = getattr(out, "vertices", out).square().sum()
        loss.backward()
        grads = [p.grad for p in network.parameters() if p.grad is not None]
        found[compiled] = torch.cat([loss.detach()[None], *(g.flatten() for g in grads)]).double()
    torch._dynamo.reset()
    assert (found[True] - found[False]).norm() < 1e-6 * found[False].norm()


def test_a_compiled_training_learns_what_the_other_does(folder, tmp_path, monkeypatch):  # noqa: F811
    plain = fit(folder, tmp_path / "plain")
    compile, called = torch.compile, []

    def noted(*arguments, **named):
        called.append(named)
        return compile(*arguments, **named, backend=BACKEND)

    monkeypatch.setattr(torch, "compile", noted)
    compiled = fit(folder, tmp_path / "compiled", compute=Compute(device="cpu", compile=True))
    torch._dynamo.reset()
    assert called == [{"fullgraph": True}]
    assert compiled.weights.keys() == plain.weights.keys()
    apart = [float((compiled.weights[k] - plain.weights[k]).norm()) for k in plain.weights]
    assert np.linalg.norm(apart) < 1e-5
