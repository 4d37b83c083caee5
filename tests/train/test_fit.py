"""Training on a few small meshes: determinism, resume after a kill, selection of weights."""

import os
import signal
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
import trimesh
from pydantic import TypeAdapter
from safetensors.torch import load_file

from repose.config.load import check
from repose.config.models import Method
from repose.convert.bodies import write_bodies
from repose.data.batches import chosen_in_epochs
from repose.data.meshes import TrainingData, Triples, centred, training_batches
from repose.errors import ReposeError
from repose.methods.build import build
from repose.methods.interface import Faces, Transfer, TransferNetwork
from repose.methods.losses import TemplateEdges, weighted_edges
from repose.methods.recipe import rate_factor
from repose.methods.settings import Training
from repose.methods.supervised import SupervisedRecipe
from repose.split.protocols import Partition, training_triples
from repose.split.triples import Meshes
from repose.store.mesh_store import MeshStore
from repose.store.pack import pack
from repose.train.fit import UNREAD, Keeper
from repose.train.stage import run
from tests import trainings
from tests.trainings import same

TRAINING = {
    "steps": 6,
    "batch": 2,
    "validate_every": 2,
    "learning_rate": 1e-3,
    "schedule": "cosine",
    "warmup": 1,
}


def method(architecture="npt", **training):
    widths = {"npt": {"width": 16}, "corenet": {"width": 8, "refine_width": 8, "residual_blocks": 1}}
    settings = {"architecture": architecture, **widths[architecture], "training": TRAINING | training}
    return TypeAdapter(Method).validate_python(settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    sphere = trimesh.creation.icosphere(subdivisions=2)
    rng = np.random.default_rng(0)
    bodies = (
        (i, p, (sphere.vertices * rng.uniform(0.5, 1, 3)).astype(np.float32))
        for i in range(5)
        for p in range(6)
    )
    rows = write_bodies(bodies, sphere.faces.astype(np.int32), folder / "obj", "test", "own")
    pack(rows, folder / "obj", folder / "meshes.zarr")
    halves = Partition([0, 1, 2], [3, 4], []), Partition([0, 1, 2, 3], [4, 5], [])
    meshes = Meshes({(i, p) for i in range(5) for p in range(6)})
    training_triples(meshes, *halves, train=30, val=4, seed=0).to_parquet(folder / "train.parquet")
    return folder


def fit(folder, state, seed=0, which=None, compute=trainings.CPU):
    store = MeshStore(folder / "meshes.zarr")
    return trainings.fit(which or method(), store, folder / "train.parquet", state, seed, compute=compute)


@pytest.mark.parametrize("architecture", ["npt", "corenet"])
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(folder, tmp_path, architecture):
    one, two, other = (
        fit(folder, tmp_path / name, seed, method(architecture))
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert same(one.weights, two.weights) and one.history.equals(two.history)
    assert not same(one.weights, other.weights)


@pytest.mark.parametrize("architecture", ["npt", "corenet"])
def test_a_killed_training_resumes_to_the_same_weights(folder, tmp_path, architecture):
    whole = fit(folder, tmp_path / "whole", which=method(architecture))
    child = os.fork()
    if child == 0:  # killed in the middle of the second stretch between validations
        keep = Keeper.on_train_batch_end

        def stop(self, *arguments, **named):
            keep(self, *arguments, **named)
            if self.task.iteration == 3:
                os.kill(os.getpid(), signal.SIGKILL)

        Keeper.on_train_batch_end = stop
        try:
            fit(folder, tmp_path / "state", which=method(architecture))
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert (tmp_path / "state" / "last.ckpt").exists()
    resumed = fit(folder, tmp_path / "state", which=method(architecture))
    assert same(resumed.weights, whole.weights)
    assert resumed.history.equals(whole.history)


def test_the_curve_starts_untrained_and_the_best_trained_weights_are_kept(folder, tmp_path):
    result = fit(folder, tmp_path)
    assert result.history.step.tolist() == [0, 2, 4, 6]
    assert np.isnan(result.history.train_loss[0]) and result.history.train_loss[1:].notna().all()
    trained = result.history[result.history.step > 0]
    best = trained.loc[trained.val_pmd_m2.idxmin()]
    assert (result.best_step, result.best_value) == (best.step, best.val_pmd_m2)


def test_training_lowers_the_loss(folder, tmp_path):
    result = fit(folder, tmp_path, which=method(steps=120, validate_every=60, learning_rate=1e-2, warmup=10))
    assert result.history.val_pmd_m2.iloc[-1] < 0.5 * result.history.val_pmd_m2.iloc[0]


def test_divergence_is_an_error_and_not_a_result(folder, tmp_path):
    with pytest.raises(ReposeError, match=r"loss is (nan|inf).*learning_rate"):
        fit(folder, tmp_path, which=method(learning_rate=1e30, warmup=0))


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_validation_that_is_no_number_is_an_error_and_not_a_result(folder, tmp_path, monkeypatch, wrong):
    def validation_step(task, batch, index):
        task.log(task.metric, torch.tensor(wrong if task.trainer.global_step else 1.0), batch_size=1)

    monkeypatch.setattr(SupervisedRecipe, "validation_step", validation_step)
    with pytest.raises(ReposeError, match=r"val_pmd_m2 is (nan|inf) at step 2.*learning_rate"):
        fit(folder, tmp_path)


def test_of_validations_that_are_level_the_first_one_is_told_and_its_weights_are_kept(
    folder, tmp_path, monkeypatch
):
    seen = {}

    def validation_step(task, batch, index):
        seen[task.trainer.global_step] = {k: v.clone() for k, v in task.weights().items()}
        task.log(task.metric, torch.tensor(0.5), batch_size=1)

    monkeypatch.setattr(SupervisedRecipe, "validation_step", validation_step)
    result = fit(folder, tmp_path)
    assert result.best_step == 2 and same(seen[2], result.weights) and not same(seen[6], result.weights)


def test_the_edges_of_a_rough_identity_are_not_asked_of_a_result(folder):
    store, splits = MeshStore(folder / "meshes.zarr"), pd.read_parquet(folder / "train.parquet")
    losses = []
    for noise in (0.0, 0.02):
        which = method(edge_weight=1.0, augment={"noise": noise})
        data = SupervisedRecipe.read(which, store, splits)
        recipe = SupervisedRecipe(which, build(which), data, 0)
        (batch,) = training_batches(data.train, 2, seed=0, start=0, stop=1)
        recipe.network.forward = lambda identity, pose, found=batch: Transfer(
            found.truth[:, found.identity_order]
        )
        losses.append(float(recipe.training_step(batch, 0)))
    assert losses[1] == 0 < losses[0], "the truth's edges are not quite the identity's, and they are smooth"


def test_a_baseline_has_nothing_to_train(folder, tmp_path):
    baseline = TypeAdapter(Method).validate_python({"architecture": "copy", "mesh": "pose"})
    with pytest.raises(ReposeError, match="nothing to train"):
        run(
            baseline,
            trainings.CPU,
            folder / "meshes.zarr",
            folder / "train.parquet",
            0,
            tmp_path,
            tmp_path / "w",
            {},
        )


def test_batches_follow_from_seed_and_step_alone(folder):
    triples = Triples(MeshStore(folder / "meshes.zarr"), pd.read_parquet(folder / "train.parquet"))
    whole = list(training_batches(triples, 4, seed=3, start=0, stop=12))
    tail = list(training_batches(triples, 4, seed=3, start=9, stop=12))
    for a, b in zip(whole[9:], tail, strict=True):
        assert (a.rests, a.side) == (b.rests, b.side) == (None, None)
        assert all(torch.equal(x, y) for x, y in zip(a[:5], b[:5], strict=True))
    other = next(iter(training_batches(triples, 4, seed=4, start=0, stop=1)))
    assert not torch.equal(whole[0].identity, other.identity)


def test_a_pass_shows_every_triple_once(folder):
    splits = pd.read_parquet(folder / "train.parquet")
    triples = Triples(MeshStore(folder / "meshes.zarr"), splits[splits.role == "train"])
    steps = range(2 * len(triples) // 5)
    seen = [int(i) for step in steps for i in chosen_in_epochs(len(triples), 5, 0, step)]
    first, second = seen[: len(triples)], seen[len(triples) :]
    assert sorted(first) == sorted(second) == list(range(len(triples))) and first != second


def test_meshes_of_a_batch_are_centred_and_the_orders_are_permutations(folder):
    triples = Triples(MeshStore(folder / "meshes.zarr"), pd.read_parquet(folder / "train.parquet"))
    batch = triples.batch(np.arange(3), np.random.default_rng(0))
    for mesh in (batch.identity, batch.pose, batch.truth):
        assert torch.allclose(mesh.amin(1) + mesh.amax(1), torch.zeros(3, 3), atol=1e-6)
    for order in (batch.identity_order, batch.pose_order):
        assert torch.equal(order.sort().values, torch.arange(len(order)))
    assert not torch.equal(batch.identity_order, batch.pose_order)


@pytest.mark.parametrize("schedule", ["constant", "half-linear", "cosine"])
def test_schedules(schedule):
    factor = rate_factor(Training(steps=100, warmup=10, schedule=schedule))
    assert factor(0) == pytest.approx(0.1) and factor(10) == pytest.approx(1)
    assert factor(100) == pytest.approx(1 if schedule == "constant" else 0)
    assert factor(54) == pytest.approx({"constant": 1, "half-linear": 1, "cosine": 0.5}[schedule], abs=0.03)


def test_shuffles_reach_the_network_and_the_output_comes_back_in_order():
    from repose.methods.shuffle import transfer_shuffled

    identity, pose = torch.rand(2, 7, 3), torch.rand(2, 5, 3)
    identity_order, pose_order = torch.randperm(7), torch.randperm(5)
    seen = {}

    class Echo(torch.nn.Module, TransferNetwork):
        def forward(self, a, b):
            seen.update(identity=a, pose=b)
            return Transfer(vertices=a * 2, warp=a * 3)

    none = torch.zeros((0, 3), dtype=torch.int64)
    out = transfer_shuffled(Echo(), identity, pose, identity_order, pose_order, Faces(none, none))
    assert torch.equal(seen["identity"], identity[:, identity_order])
    assert torch.equal(seen["pose"], pose[:, pose_order])
    assert torch.equal(out.vertices, identity * 2) and torch.equal(out.warp, identity * 3)


def test_centring_is_by_the_bounding_box():
    x = np.array([[[0, 0, 0], [2, 4, 6], [0, 0, 1]]], np.float32)
    assert torch.equal(centred(x)[0, 0], torch.tensor([-1.0, -2, -3]))


def test_edges_among_the_seen_vertices_keep_their_sum_of_weights():
    sphere = trimesh.creation.icosphere(subdivisions=1)
    template = TemplateEdges(*weighted_edges(sphere.faces), len(sphere.vertices))
    edges, weights = template.edges, template.weights
    order = torch.randperm(len(sphere.vertices), generator=torch.Generator().manual_seed(0))
    moved, same_weights = template.among(order)
    assert torch.equal(order[moved], edges) and torch.allclose(same_weights, weights)
    moved, kept = template.among(order[:20])
    known = {tuple(sorted(e)) for e in edges.tolist()}
    assert 0 < len(moved) < len(edges) and {tuple(sorted(e)) for e in order[moved].tolist()} <= known
    assert kept.sum() == pytest.approx(weights.sum().item())


@pytest.mark.parametrize("architecture", ["npt", "corenet"])
def test_a_step_may_see_random_vertices_only(folder, tmp_path, architecture):
    seen = []
    task_method = method(architecture, points=40, edge_weight=1e-3, warp_weight=1.0, steps=2)

    class Spy(torch.nn.Module):
        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, identity, pose):
            seen.append((identity.shape[1], pose.shape[1]))
            return self.network(identity, pose)

    splits = pd.read_parquet(folder / "train.parquet")
    triples = Triples(MeshStore(folder / "meshes.zarr"), splits)
    data = TrainingData(triples.store, triples, triples)
    task = SupervisedRecipe(task_method, Spy(build(task_method)), data, seed=0)
    loss = task.training_step(next(iter(training_batches(triples, 2, 0, 0, 1))), 0)
    loss.backward()
    assert seen == [(40, 40)] and torch.isfinite(loss)


def test_two_devices_share_each_batch_and_learn_what_one_learns(folder, tmp_path):
    """Processes, on a CPU; the order of the sums differs. A peer that fails ends the process that started it."""
    code = textwrap.dedent(f"""
        import os, sys
        sys.path[:0] = {[*sys.path, os.path.dirname(__file__)]!r}
        from pathlib import Path
        from safetensors.torch import save_file
        import test_fit
        from repose.config.models import Compute
        before = set(os.environ)
        out, settings = Path({str(tmp_path)!r}), test_fit.method("corenet", batch=4)
        compute = Compute(device="cpu", devices=2)
        two = test_fit.fit(Path({str(folder)!r}), out / "two", 0, settings, compute)
        assert not {{"MASTER_ADDR", "MASTER_PORT", "NODE_RANK", "LOCAL_RANK"}} & (os.environ.keys() - before)
        save_file(two.weights, out / "two.safetensors")
        two.history.to_parquet(out / "two.parquet")
        print(two.best_step)
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    weights, history = load_file(tmp_path / "two.safetensors"), pd.read_parquet(tmp_path / "two.parquet")
    one = fit(folder, tmp_path / "one", 0, method("corenet", batch=4))
    assert one.weights.keys() == weights.keys() and one.best_step == int(done.stdout.split()[-1])
    for name, tensor in one.weights.items():
        assert torch.allclose(tensor, weights[name], rtol=1e-3, atol=1e-4), name
    np.testing.assert_allclose(one.history[:2], history[:2], rtol=1e-5)
    np.testing.assert_allclose(one.history, history, rtol=1e-2, err_msg="rounding grows with each step")


def test_a_batch_that_devices_cannot_share_is_an_error_of_the_config():
    values = {
        "datasets": {},
        "methods": {"npt": {"architecture": "npt", "training": TRAINING | {"batch": 3}}},
        "tables": {},
        "compute": {"devices": 2},
    }
    with pytest.raises(ReposeError, match="methods.npt.training.batch: 3 cannot be shared by 2 devices"):
        check(values)


def keeper_on(device, folder, losses):
    """A keeper after steps with these losses on a device, and what their trainer is."""
    task = SimpleNamespace(device=torch.device(device), iteration=0, metric="val")
    task.weights = lambda: {"w": torch.zeros(1)}
    reduce = SimpleNamespace(reduce=lambda value, reduce_op: value)
    trainer = SimpleNamespace(
        strategy=reduce, optimizers=[], is_global_zero=True, callback_metrics={"val": torch.tensor(1.0)}
    )
    keeper = Keeper(folder, task, "a run")
    for step, loss in enumerate(losses, 1):
        task.iteration = step
        keeper.on_train_batch_end(trainer, task, {"loss": torch.tensor(loss)}, None, step)
    return keeper, trainer, task


def test_losses_that_a_gpu_reads_late_are_all_in_the_curve(tmp_path):
    losses = [float(i) for i in range(2 * UNREAD + 5)]
    rows = []
    for device in ("cpu", "cuda"):
        keeper, trainer, task = keeper_on(device, tmp_path, losses)
        keeper.on_validation_end(trainer, task)
        rows += keeper.rows
    assert rows[0] == rows[1] and rows[0]["train_loss"] == np.mean(losses)


def test_a_loss_that_a_gpu_reads_late_is_told_with_its_own_step(tmp_path):
    for device in ("cpu", "cuda"):
        with pytest.raises(ReposeError, match="the loss is inf at step 3"):
            keeper_on(device, tmp_path, [1.0, 1.0, float("inf"), *[1.0] * UNREAD])
