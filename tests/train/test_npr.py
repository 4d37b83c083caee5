"""Training of NPR: what it may see, that it learns, exact resume."""

import numpy as np
import pandas as pd
import pytest
import torch
import trimesh
from pydantic import TypeAdapter, ValidationError

from repose.config.methods import Method
from repose.config.models import Compute
from repose.convert.bodies import write_bodies
from repose.errors import ReposeError
from repose.mesh.metrics import pmd
from repose.models import build
from repose.predict.run import predict
from repose.score.rows import score
from repose.split.triples import Meshes, draw_triples
from repose.store.meshes import MeshStore
from repose.store.pack import pack
from repose.train.fit import train
from repose.train.tasks.npr import NprTask

WIDTHS = {"width": 16, "fine_width": 8, "middle": 40, "keypoints": 16, "attention": 16, "hidden": 16}
TRAINING = {"steps": 6, "batch": 2, "validate_every": 2, "learning_rate": 3e-3}
LEARNING = {
    "steps": 150, "validate_every": 75, "jacobian_weight": 0.05, "learning_rate": 5e-3, "schedule": "cosine",
}  # fmt: skip
POSES = 60


def method(training=None, **settings):
    settings = {"anchors": "rest", **WIDTHS, **settings, "training": TRAINING | (training or {})}
    return TypeAdapter(Method).validate_python({"architecture": "npr", **settings})


def worm(thickness, bends):
    """A body that bends around two joints, by angles in radians; pose 0 is straight."""
    sphere = trimesh.creation.icosphere(subdivisions=2)
    x, y, z = np.asarray(sphere.vertices).T
    x = 1.5 * x
    angle = sum(b * np.clip((x - at) / 0.8 + 0.5, 0, 1) for b, at in zip(bends, (-0.5, 0.5), strict=True))
    middle = np.linspace(-1.5, 1.5, 200)
    turned = sum(
        b * np.clip((middle - at) / 0.8 + 0.5, 0, 1) for b, at in zip(bends, (-0.5, 0.5), strict=True)
    )
    steps = np.stack([np.cos(turned), np.sin(turned)], 1) * (middle[1] - middle[0])
    line = np.stack([np.interp(x, middle, np.cumsum(steps[:, k])) for k in range(2)], 1)
    across = thickness * y[:, None] * np.stack([-np.sin(angle), np.cos(angle)], 1)
    return np.column_stack([line + across, thickness * z]).astype(np.float32), np.asarray(sphere.faces)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    bends = np.concatenate([[[0, 0]], rng.uniform(-0.9, 0.9, (POSES - 1, 2))])
    thickness = [0.3, 0.5, 0.4, 0.45]
    rows = write_bodies(
        ((i, p, worm(t, b)[0]) for i, t in enumerate(thickness) for p, b in enumerate(bends)),
        worm(1, [0, 0])[1].astype(np.int32), folder / "obj", "test", "own",
    )  # fmt: skip
    pack(rows, folder / "obj", folder / "meshes.zarr")
    return MeshStore(folder / "meshes.zarr")


@pytest.fixture(scope="module")
def splits():
    there = Meshes({(i, p) for i in range(4) for p in range(POSES)})
    parts = (
        draw_triples(there, [0, 1], range(48), 200, "train", 0),
        draw_triples(there, [2, 3], range(48, 54), 8, "val", 0),
    )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def unseen():
    there = Meshes({(i, p) for i in range(4) for p in range(POSES)})
    return draw_triples(there, [2, 3], range(54, POSES), 20, "test-unseen", 0)


def test_it_sees_one_body_and_no_truth_of_a_transfer(store, splits):
    data = NprTask.read(method({"source": 1}), store, splits)
    names = {store.mesh_ids[row] for row in data.train.rows.ravel()}
    assert names == {f"id1_{p}" for p in range(48)}
    assert {store.mesh_ids[row] for row in data.train.rests.ravel()} == {"id1_0"}
    assert len(data.val) == 8
    first = NprTask.read(method(), store, splits)
    assert {store.mesh_ids[row] for row in first.train.rests.ravel()} == {"id0_0"}


def test_a_source_or_a_rest_pose_that_is_not_there_is_refused(store, splits):
    with pytest.raises(ReposeError, match=r"training.source: identity 2 is not in training"):
        NprTask.read(method({"source": 2}), store, splits)
    with pytest.raises(ReposeError, match="no mesh 'id0_99' in the store"):
        NprTask.read(method(rest_pose=99), store, splits)
    with pytest.raises(ValidationError, match="keypoints 50 must not be more than middle 40"):
        method(keypoints=50)


@pytest.mark.parametrize("anchors", ["rest", "posed"])
def test_a_training_that_was_stopped_goes_on_to_the_same_weights(
    store, splits, tmp_path, monkeypatch, anchors
):
    def run(name):
        return train(
            method(anchors=anchors), Compute(device="cpu"), store, splits, 0, tmp_path / name, "test"
        ).weights

    whole, step = run("whole"), NprTask.training_step

    def stopped(self, batch, index):
        if self.iteration == 5:
            raise RuntimeError("stopped")
        return step(self, batch, index)

    monkeypatch.setattr(NprTask, "training_step", stopped)
    with pytest.raises(RuntimeError, match="stopped"):
        run("parts")
    monkeypatch.setattr(NprTask, "training_step", step)
    parts = run("parts")
    assert all(torch.equal(parts[name], whole[name]) for name in whole)


def test_it_learns_to_pose_another_body(store, splits, unseen, tmp_path):
    settings = method(LEARNING)
    trained = train(settings, Compute(device="cpu"), store, splits, 0, tmp_path / "state", "test")
    network = build(settings)
    network.load_state_dict(trained.weights)
    predict(network.eval(), store, {"unseen": unseen}, "cpu", tmp_path / "p.zarr", "test")
    rows = score(tmp_path / "p.zarr", store, "unseen", unseen)
    error = rows.value[rows.metric == "pmd_m2"].mean()
    still = [
        torch.from_numpy(store.vertices(np.array([store.index_of(name) for name in unseen[column]])))
        for column in ("identity_mesh", "truth_mesh")
    ]
    assert error < 0.25 * pmd(*still).mean()
