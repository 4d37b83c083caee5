"""Batches of triples at a surface of 1 m²."""

import numpy as np
import pandas as pd
import pytest
import torch

from repose.data.meshes import Triples, training_batches
from repose.data.unlabelled import MeshesByIdentity, Numbers, unlabelled_batch
from repose.mesh.operators import face_areas
from tests.worms import worm_store


@pytest.fixture
def store(tmp_path):
    return worm_store(tmp_path / "worms")


def test_identity_and_pose_have_unit_area_and_the_truth_the_scale_of_the_identity(store):
    rows = pd.DataFrame({"identity_mesh": ["id2_1"], "pose_mesh": ["id3_2"], "truth_mesh": ["id2_2"]})
    (metres,), (batch,) = (
        training_batches(Triples(store, rows, unit_area=unit), 1, 0, 0, 1) for unit in (False, True)
    )
    for mesh in (batch.identity, batch.pose):
        assert face_areas(mesh[0].numpy(), store.faces).sum() == pytest.approx(1, abs=1e-5)
    for name in ("identity", "truth"):
        torch.testing.assert_close(getattr(batch, name) * batch.side, getattr(metres, name))
    assert metres.side is None and torch.equal(batch.identity_order, metres.identity_order)


def test_meshes_without_truths_have_unit_area_too(store):
    bodies = MeshesByIdentity(store, Numbers(frozenset({2, 3}), frozenset({1, 2})), unit_area=True)
    batch = unlabelled_batch(bodies, bodies, 2, np.random.default_rng(0))
    for mesh in torch.cat([batch.other, batch.pose, batch.same]):
        assert face_areas(mesh.numpy(), store.faces).sum() == pytest.approx(1, abs=1e-5)
