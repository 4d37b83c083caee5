"""Training of IEP-GAN: who learns from what, exact resume, the store of distances."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
import trimesh
from pydantic import TypeAdapter

from repose.config.models import Method
from repose.convert.bodies import write_bodies
from repose.errors import ReposeError
from repose.gih.reader import GihReader
from repose.gih.scale import compute_dataset
from repose.gih.solver import all_pairs
from repose.methods.build import build, recipe_for
from repose.split.triples import Meshes, draw_triples
from repose.store.mesh_store import MeshStore
from repose.store.pack import pack
from tests import trainings
from tests.trainings import resumes, same

WIDTHS = {"width": 16, "pose_channels": 8, "generator_width": 8, "matcher_width": 8}
TRAINING = {
    "steps": 6, "batch": 2, "validate_every": 2, "learning_rate": 1e-3, "points": 60, "swap_from": 1,
    "intrinsic_from": 2, "patches": 2, "patch_vertices": 12, "patch_points": 10, "r1_every": 2,
    "discriminator_width": 16, "cooccurrence_width": 16, "ema_images": 4,
}  # fmt: skip


def method(training=None, **settings):
    return TypeAdapter(Method).validate_python(
        {"architecture": "iepgan", **WIDTHS, **settings, "training": TRAINING | (training or {})}
    )


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
    there = Meshes({(i, p) for i in range(5) for p in range(6)})
    parts = (
        draw_triples(there, range(3), range(4), 30, "train", 0),
        draw_triples(there, [3, 4], [4, 5], 4, "val", 0),
    )
    pd.concat(parts, ignore_index=True).to_parquet(folder / "train.parquet")
    return folder


def fit(folder, state, which=None, seed=0):
    store = MeshStore(folder / "meshes.zarr")
    return trainings.fit(which or method(), store, folder / "train.parquet", state, seed)


def one_step(folder, which, step=3, given=None):
    """A task after one training step, outside Lightning."""
    torch.manual_seed(0)
    splits = pd.read_parquet(folder / "train.parquet")
    store = MeshStore(folder / "meshes.zarr")
    task = recipe_for(which, build(which), store, splits, 0, given or {})
    optimizers, rates = task.configure_optimizers()
    task.optimizers, task.lr_schedulers = lambda: optimizers, lambda: rates
    task.manual_backward = lambda loss: loss.backward()
    before = {k: v.clone() for k, v in task.state_dict().items()}
    task.training_step(next(iter(task.batches(step, step + 1))), 0)
    return task, before


def changed(task, before, part):
    now = task.state_dict()
    return {k for k in before if k.startswith(part) and not torch.equal(before[k], now[k])}


def test_both_discriminators_learn_in_one_step(folder):
    task, before = one_step(folder, method())
    for part in ("discriminator.head", "cooccurrence.layers", "cooccurrence.head"):
        assert changed(task, before, part), part


def test_the_generator_learns_from_smoothed_patches_alone(folder):
    silent = {"adversarial_weight": 0, "edge_weight": 0, "local_weight": 0, "gih_weight": 0}
    task, _ = one_step(folder, method(silent | {"reconstruction_weight": 1e-30}))
    gradient = task.live.generator.convs[-1].weight.grad
    assert gradient.abs().max() > 1e-6
    task, _ = one_step(folder, method(silent | {"cooccurrence_weight": 0, "reconstruction_weight": 1e-30}))
    assert task.live.generator.convs[-1].weight.grad.abs().max() < 1e-20


def test_the_generator_learns_from_distances_alone(folder):
    only = {"adversarial_weight": 0, "edge_weight": 0, "local_weight": 0, "cooccurrence_weight": 0}
    task, _ = one_step(folder, method(only | {"reconstruction_weight": 1e-30}))
    assert task.live.generator.convs[-1].weight.grad.abs().max() > 1e-6


def test_reconstruction_alone_leaves_transfers_and_their_discriminators_alone(folder):
    task, before = one_step(folder, method({"swap_from": 100}))
    assert not changed(task, before, "cooccurrence") and not changed(task, before, "errors")


def test_adaptive_patches_follow_the_errors_and_random_ones_do_not(folder):
    def seeds(which, worst):
        task, _ = one_step(folder, method({"seeds": which}))
        errors = np.zeros(162)
        errors[worst] = 1
        return [int(task.views.draw(errors, np.random.default_rng(i)).whole[0, 0]) for i in range(5)]

    assert seeds("adaptive", 17) == [17] * 5 and seeds("adaptive", 99) == [99] * 5
    assert seeds("random", 17) == seeds("random", 99) and len(set(seeds("random", 17))) > 1


def test_errors_are_remembered_where_edges_were_seen(folder):
    task, _ = one_step(folder, method())
    errors = task.errors
    assert (errors == 1).any() and (errors < 1).any() and (errors > 0).all()
    assert (errors < 1).sum() <= 60


def test_the_kept_weights_are_the_average(folder):
    task, before = one_step(folder, method())
    for name, value in task.live.state_dict().items():
        old = before[f"network.{name}"]
        assert torch.allclose(
            task.network.state_dict()[name], old + (value - old) * (1 - 0.5**0.5), atol=1e-7
        )


def test_no_truth_of_a_training_triple_is_read_unless_as_released(folder):
    splits = pd.read_parquet(folder / "train.parquet")
    splits.loc[splits.role == "train", "truth_mesh"] = "nowhere"
    store = MeshStore(folder / "meshes.zarr")
    which, released = method(), method(faithful=True)
    assert recipe_for(which, build(which), store, splits, 0, {}).data.val.rows[0, 2] != -1
    with pytest.raises(ReposeError, match="nowhere"):
        recipe_for(released, build(released), store, splits, 0, {})


@pytest.mark.parametrize("settings", [{}, {"correspondence": "learned"}, {"faithful": True}])
def test_a_stopped_training_resumes_to_the_same_weights(folder, tmp_path, settings, monkeypatch):
    which = method({"points": None} if settings.get("faithful") else {}, **settings)
    whole = resumes(lambda state: fit(folder, state, which), tmp_path, monkeypatch)
    assert whole.history.step.tolist() == [0, 2, 4, 6]
    assert not same(whole.weights, fit(folder, tmp_path / "other", which, seed=1).weights)


def test_the_released_penalty_has_a_step_of_its_own_and_distances_begin_after_their_step(folder, monkeypatch):
    from repose.methods.iepgan import released

    called = []
    monkeypatch.setattr(
        released, "distances_of", lambda transfer, *_: called.append("distances") or transfer[:, :1, :1]
    )
    which = method({"points": None, "r1_every": 2, "r1_weight": 10, "intrinsic_from": 3}, faithful=True)
    for step, expected in ((2, [1, 1, 0]), (3, [1, 0]), (4, [1, 1, "distances", 0])):
        task, _ = one_step(folder, which, step)
        plain = task.update
        monkeypatch.setattr(task, "update", lambda k, *a, p=plain, **o: called.append(k) or p(k, *a, **o))
        called.clear()
        task.training_step(next(iter(task.batches(step, step + 1))), 0)
        assert called == expected


def test_distances_of_the_whole_mesh_come_from_the_store(folder, tmp_path):
    store = MeshStore(folder / "meshes.zarr")
    meshes = {name: store.vertices(np.array([i]))[0] for i, name in enumerate(store.mesh_ids)}
    path = tmp_path / "gih.zarr"
    compute_dataset({name: partial(tuple, (x, store.faces)) for name, x in meshes.items()}, path)
    which = method({"target": "full-block", "intrinsic_from": 0})
    assert which.reads_gih and not method().reads_gih
    seen = []
    task, _ = one_step(folder, which, given={"gih": path})
    plain = GihReader.blocks
    task.gih.blocks = lambda names, rows: seen.append((names, rows)) or plain(task.gih, names, rows)
    task.training_step(next(iter(task.batches(3, 4))), 0)
    names, rows = seen[0]
    block = plain(task.gih, names[:1], rows[:1])[0]
    exact = all_pairs(meshes[names[0]], store.faces)[np.ix_(rows[0], rows[0])]
    assert np.abs(block - exact).max() < 1e-4
    with pytest.raises(ReposeError, match="full-block needs the distances"):
        one_step(folder, which)


def test_the_curve_has_every_term_of_the_loss(folder, tmp_path):
    history, weights = fit(folder, tmp_path).history, method().training
    terms = ("reconstruction", "adversarial", "cooccurrence", "edge", "local", "gih")
    last = history.iloc[-1]
    assert last.train_loss == pytest.approx(
        sum(getattr(weights, f"{term}_weight") * last[f"train_{term}"] for term in terms)
    )
    assert last.train_discriminator > 0 and last.train_cooccurrence_discriminator > 0
    # Distances count from step 2 on.
    assert history.train_gih.isna().tolist() == [True, True, False, False]
