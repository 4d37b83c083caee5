"""Training of NPR: what it may see, that it learns, exact resume."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from repose.errors import ReposeError
from repose.mesh.metrics import pmd
from repose.methods.build import build
from repose.methods.load import load_weights
from repose.methods.npr.recipe import NprRecipe
from repose.predict.meshes import predict
from repose.score.meshes import score
from tests.trainings import fit, resumes
from tests.worms import LEARNING, npr_method


@pytest.fixture(scope="module")
def store(worms):
    return worms


@pytest.fixture(scope="module")
def splits(worm_splits):
    return worm_splits["train"]


def test_it_sees_one_body_and_no_truth_of_a_transfer(store, splits):
    data = NprRecipe.read(npr_method({"source": 1}), store, splits)
    names = {store.mesh_ids[row] for row in data.train.rows.ravel()}
    assert names == {f"id1_{p}" for p in range(48)}
    assert {store.mesh_ids[row] for row in data.train.rests.ravel()} == {"id1_0"}
    assert len(data.val) == 8
    first = NprRecipe.read(npr_method(), store, splits)
    assert {store.mesh_ids[row] for row in first.train.rests.ravel()} == {"id0_0"}


def test_a_source_or_a_rest_pose_that_is_not_there_is_refused(store, splits):
    with pytest.raises(ReposeError, match=r"training.source: identity 2 is not in training"):
        NprRecipe.read(npr_method({"source": 2}), store, splits)
    with pytest.raises(ReposeError, match="no mesh 'id0_99' in the store"):
        NprRecipe.read(npr_method(rest_pose=99), store, splits)
    with pytest.raises(ValidationError, match="keypoints 50 must not be more than middle 40"):
        npr_method(keypoints=50)


@pytest.mark.parametrize("anchors", ["rest", "posed"])
def test_a_stopped_training_resumes_to_the_same_weights(store, splits, tmp_path, monkeypatch, anchors):
    settings = npr_method(anchors=anchors)
    resumes(lambda state: fit(settings, store, splits, state), tmp_path, monkeypatch)


def test_it_learns_to_pose_another_body(store, worm_splits, worm_npr, tmp_path):
    unseen = worm_splits["unseen"].head(20)
    method = npr_method(LEARNING)
    network = load_weights(build(method), worm_npr, "npr")
    predict(method, network.eval(), store.path, {"unseen": unseen}, "cpu", tmp_path / "p.zarr", "test")
    rows = score(tmp_path / "p.zarr", store.path, {"unseen": unseen})
    error = rows.value[rows.metric == "pmd_m2"].mean()
    still = [
        torch.from_numpy(store.vertices(np.array([store.index_of(name) for name in unseen[column]])))
        for column in ("identity_mesh", "truth_mesh")
    ]
    assert error < 0.25 * pmd(*still).mean()
