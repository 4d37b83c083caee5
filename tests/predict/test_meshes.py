"""Predictions of meshes go through the projection that their method asks for, the coarse warp first of all."""

import numpy as np
import pandas as pd
import pytest
import torch

from repose.mesh.operators import face_areas
from repose.mesh.sheet import as_rigid_as_possible
from repose.methods.interface import Transfer, TransferNetwork
from repose.predict.meshes import predicted
from tests.worms import worm_store


class Squeezed(torch.nn.Module, TransferNetwork):
    """Half the pose mesh, and a third of it as its warp."""

    ordered = True

    def __init__(self, warps):
        super().__init__()
        self.warps = warps

    def forward(self, identity, pose):
        return Transfer(pose / 2, pose / 3 if self.warps else None)


@pytest.mark.parametrize("warps", [False, True])
def test_the_warp_is_projected_where_there_is_one(tmp_path, warps):
    store = worm_store(tmp_path / "worms")
    row = {"identity_mesh": "id2_1", "pose_mesh": "id3_2", "truth_mesh": "id2_2", "role": "test-unseen"}
    found = {}
    for finish in ("none", "arap"):
        (found[finish],) = predicted(Squeezed(warps), store, pd.DataFrame([row]), "cpu", "test", finish)
    identity, pose = (centred(store, row[name]) for name in ("identity_mesh", "pose_mesh"))
    assert found["none"] == pytest.approx(pose / 2, abs=1e-6), "what is not asked for changes nothing"
    wanted = as_rigid_as_possible(identity, store.faces, pose / (3 if warps else 2))
    assert found["arap"] == pytest.approx(wanted, abs=1e-5)


class Sizes(torch.nn.Module, TransferNetwork):
    """The identity mesh as it comes, and the lengths of what comes."""

    ordered = unit_area = True

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, identity, pose):
        self.seen.append((identity, pose))
        return Transfer(identity, pose)


def test_a_network_sees_unit_areas_and_its_result_has_the_size_of_the_identity(tmp_path):
    store = worm_store(tmp_path / "worms")
    row = {"identity_mesh": "id2_1", "pose_mesh": "id3_2", "truth_mesh": "id2_2", "role": "test-unseen"}
    network = Sizes()
    (found,) = predicted(network, store, pd.DataFrame([row]), "cpu", "test")
    identity, pose = (centred(store, row[name]) for name in ("identity_mesh", "pose_mesh"))
    assert found == pytest.approx(identity, abs=1e-6)
    for seen, mesh in zip(network.seen[0], (identity, pose), strict=True):
        assert face_areas(seen[0].numpy(), store.faces).sum() == pytest.approx(1, abs=1e-5)
        assert seen[0].numpy() * np.sqrt(face_areas(mesh, store.faces).sum()) == pytest.approx(mesh, abs=1e-6)


def centred(store, name):
    (vertices,) = store.vertices([store.index_of(name)])
    return vertices - (vertices.min(0) + vertices.max(0)) / 2
