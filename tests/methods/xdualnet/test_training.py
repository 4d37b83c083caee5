import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import TypeAdapter

from repose.config.models import Method
from repose.mesh.operators import edge_uses
from repose.methods.losses import edge_loss
from repose.methods.xdualnet.dual import dual_losses
from repose.methods.xdualnet.network import XDualNet
from repose.methods.xdualnet.recipe import XDualNetRecipe
from repose.methods.xdualnet.settings import XDualNetTraining
from repose.split.triples import draw_triples
from tests.methods import reference
from tests.methods.helpers import enliven, gradient_errors, relative, twins
from tests.trainings import fit, resumes, same
from tests.worms import THERE, worm_store

N, M = 47, 61
SETTINGS = XDualNetTraining(steps=1, warp_weight=7)
SMALL = {"architecture": "xdualnet", "width": 8, "neighbours": 6, "refine_width": 8}
TRAINING = {"steps": 6, "batch": 2, "validate_every": 3, "points": 60, "arap_from": 2, "arap_iterations": 3}


def method(training=None, **settings):
    return TypeAdapter(Method).validate_python(SMALL | settings | {"training": TRAINING | (training or {})})


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return worm_store(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def splits():
    parts = (
        draw_triples(THERE, [0, 1], range(20), 40, "train", 0),
        draw_triples(THERE, [2, 3], range(20, 24), 3, "val", 0),
    )
    return pd.concat(parts, ignore_index=True)


def meshes():
    generator = torch.Generator().manual_seed(3)
    identity, pose = (torch.randn(2, n, 3, generator=generator, dtype=torch.float64) for n in (N, M))
    faces = np.random.default_rng(0).permuted(np.tile(np.arange(N), (2 * N, 1)), axis=1)[:, :3]
    edges, uses = edge_uses(faces)
    return identity, pose, faces, (torch.from_numpy(edges).long(), torch.from_numpy(uses / len(faces)))


def shrunk(out):
    """In the place of ARAP."""
    return 0.9 * out + 0.01


@pytest.mark.parametrize("faithful", [False, True])
@pytest.mark.parametrize("deform", [None, shrunk])
@pytest.mark.parametrize("alive", [False, True])
def test_a_step_equals_the_plain_form(faithful, deform, alive):
    torch.manual_seed(0)
    net = XDualNet(width=16, neighbours=7, refine_width=32, faithful=faithful, residual=not faithful)
    ours, plain = twins(enliven(net) if alive else net, torch.float64)
    identity, pose, faces, edges = meshes()

    def run_ours(n):
        losses = dual_losses(n, identity, pose, edges, SETTINGS, deform, faithful)
        assert losses.keys() == {"backward", "edges", "identity", "pose"}
        return torch.stack([*losses.values()]).sum()

    def run_plain(n):
        return reference.dual_loss(n, identity, pose, faces, SETTINGS, deform, faithful)

    assert relative(run_ours(ours), run_plain(plain)) < 1e-8  # also moves the spectral vectors of both
    errors = gradient_errors(ours, plain, run_ours, run_plain)
    assert max(errors.values()) < 1e-7, errors


def test_edges_teach_under_arap_but_for_the_released_code():
    """There they are those of the deformed mesh, which has no gradient."""
    torch.manual_seed(0)
    net = enliven(XDualNet(width=16, neighbours=7, refine_width=32)).double()
    identity, pose, _, edges = meshes()
    found = {
        faithful: dual_losses(net, identity, pose, edges, SETTINGS, shrunk, faithful)["edges"]
        for faithful in (False, True)
    }
    assert found[False].requires_grad and not found[True].requires_grad
    out = net(identity, pose).vertices  # one power iteration later: nearly the same
    assert found[True].item() == pytest.approx(0.5 * edge_loss(shrunk(out), identity, *edges).item(), rel=0.2)


def test_a_term_of_weight_zero_is_not_computed():
    torch.manual_seed(0)
    net = XDualNet(width=16, neighbours=7, refine_width=32).double()
    identity, pose, _, edges = meshes()
    settings = XDualNetTraining(steps=1, backward_weight=0, edge_weight=0)
    assert dual_losses(net, identity, pose, edges, settings).keys() == {"identity", "pose"}


def test_handles_are_where_the_network_put_them(store, splits):
    settings = method(training={"arap_handles": 0.25})
    data = XDualNetRecipe.read(settings, store, splits)
    task = XDualNetRecipe(settings, torch.nn.Identity(), data, 0)
    rest = torch.from_numpy(store.vertices(np.array([3, 4])))
    order = torch.randperm(rest.shape[1], generator=torch.Generator().manual_seed(0))[:80]
    made = rest[:, order] + 0.1
    done = task.deform(made, rest, order, np.random.default_rng(0))
    torch.testing.assert_close(done, made)  # a body that is moved as a whole stays what it is
    other = made + 0.3 * torch.randn(made.shape, generator=torch.Generator().manual_seed(1))
    done = task.deform(other, rest, order, np.random.default_rng(0))
    held = ((done - other).norm(dim=-1) < 1e-6).sum(dim=1)
    assert held.tolist() == [int(0.25 * rest.shape[1])] * 2


@pytest.mark.parametrize("faithful", [False, True])
def test_no_truth_is_read_and_the_same_seed_gives_the_same_weights(faithful, store, splits, tmp_path):
    blind = splits.assign(truth_mesh=splits.truth_mesh.where(splits.role == "val", splits.pose_mesh))
    one = fit(method(faithful=faithful), store, splits, tmp_path / "a")
    two = fit(method(faithful=faithful), store, blind, tmp_path / "b")
    assert same(one.weights, two.weights) and one.history.equals(two.history)
    assert (
        one.history[["train_backward", "train_edges", "train_identity", "train_pose"]][1:].notna().all(None)
    )


def test_a_training_that_is_stopped_under_arap_goes_on_as_it_would_have(store, splits, tmp_path, monkeypatch):
    resumes(lambda state: fit(method(), store, splits, state), tmp_path, monkeypatch, after=5)


def test_arap_begins_at_its_step(store, splits, tmp_path):
    """Before it a training is as without."""
    never, late = (
        fit(method({"arap_from": step}), store, splits, tmp_path / str(step)).history for step in (None, 3)
    )
    assert never[:2].equals(late[:2]) and not never[2:].equals(late[2:])
