"""Scores of generated poses, on sets whose scores are known."""

import numpy as np
import pandas as pd
import pytest
import torch
import trimesh
import zarr

from repose.convert.bodies import write_bodies
from repose.errors import ReposeError
from repose.methods.build import build
from repose.methods.copies.settings import CopyPosesSettings
from repose.metrics.poses import METRICS
from repose.predict.poses import predict
from repose.score.poses import coverage, distances, one_nn_accuracy, score
from repose.split.triples import Meshes, draw_triples
from repose.store.mesh_store import MeshStore
from repose.store.pack import pack

IDENTITIES, POSES = 4, 12


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    ball, rng = trimesh.creation.icosphere(subdivisions=1), np.random.default_rng(0)
    poses = rng.normal(size=(POSES, *ball.vertices.shape)) * 0.1
    bodies = (
        (i, p, (1 + i / 10) * (ball.vertices + poses[p])) for i in range(IDENTITIES) for p in range(POSES)
    )
    rows = write_bodies(bodies, ball.faces.astype(np.int32), folder / "obj", "test", "own")
    pack(rows, folder / "obj", folder / "meshes.zarr")
    return MeshStore(folder / "meshes.zarr")


@pytest.fixture(scope="module")
def splits():
    there = Meshes({(i, p) for i in range(IDENTITIES) for p in range(POSES)})
    return {
        "train": draw_triples(there, [0, 1], range(8), 60, "train", 0),
        "unseen": draw_triples(there, [2, 3], range(8, 12), 20, "test-unseen", 0),
    }


def predicted(store, splits, folder, poses):
    method = CopyPosesSettings(architecture="copy-poses", poses=poses)
    predict(method, build(method), store.path, splits, "cpu", folder / "p.zarr", "test")


def scored(store, splits, folder, poses):
    predicted(store, splits, folder, poses)
    return score(folder / "p.zarr", store.path, splits)


def test_coverage_and_the_nearest_neighbour_on_a_line():
    made, real = (torch.tensor(x).reshape(-1, 1, 1).double() for x in ([0.0, 0.1, 5.0], [0.0, 4.0, 9.0]))
    across = distances(made, real)
    assert across[2].tolist() == [25, 1, 16]
    assert coverage(across) == pytest.approx(2 / 3)  # 9 is nearest to none
    two = slice(1, None)  # 0.1 and 5 against 4 and 9: each has its nearest in the other set
    assert (
        one_nn_accuracy(distances(made[two], made[two]), distances(real[two], real[two]), across[two, two])
        == 0
    )
    # All three: 0 has 0.1 or 0, 0.1 has 0 (either), 5 has 4; 0 has 0, 4 has 5, 9 has 5.
    assert one_nn_accuracy(distances(made, made), distances(real, real), across) <= 2 / 6
    apart = distances(made + 100, real)
    assert one_nn_accuracy(distances(made, made), distances(real, real), apart) == 1


def test_training_poses_are_near_and_the_pose_at_rest_is_one_point(store, splits, tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    rows = scored(store, splits, tmp_path / "a", "training")
    assert set(rows.metric) == {metric.name for metric in METRICS}
    assert set(zip(rows.protocol, rows.identity, strict=True)) == {
        ("own-body", 0),
        ("new-body", 2),
        ("new-body", 3),
    }
    assert not rows.value.isna().any()
    best = rows.groupby("metric").value.mean()
    assert best.to_training_m2 == 0 and best.spread_m2 > 0 and best.real_to_training_m2 > 0
    rest = scored(store, splits, tmp_path / "b", "rest")
    wide = rest.pivot(index="identity", columns="metric", values="value")
    assert (
        (wide.coverage == 1 / 4).all() and (wide.spread_m2 == 0).all() and (wide.one_nn_accuracy >= 0.5).all()
    )
    assert rest.groupby("metric").value.mean().mmd_m2 >= best.mmd_m2


def test_the_truth_itself_is_covered(store, splits, tmp_path):
    predicted(store, splits, tmp_path, "training")
    root = zarr.open_group(tmp_path / "p.zarr")
    for protocol, identities in (("own-body", [0]), ("new-body", [2, 3])):
        names = [f"id{i}_{p}" for i in identities for p in range(8, 12)]
        root[f"{protocol}/vertices"][:] = store.vertices(np.array([store.index_of(n) for n in names]))
    values = score(tmp_path / "p.zarr", store.path, splits).groupby("metric").value.mean()
    assert values.coverage == 1 and values.mmd_m2 < 1e-12 and values.one_nn_accuracy == 0
    assert values.to_training_m2 == pytest.approx(values.real_to_training_m2)


def test_predictions_of_other_bodies_are_refused(store, splits, tmp_path):
    predicted(store, splits, tmp_path, "rest")
    fewer = splits | {"unseen": splits["unseen"][splits["unseen"].identity_mesh.str.startswith("id2_")]}
    fewer["unseen"] = fewer["unseen"].assign(pose_mesh=fewer["unseen"].truth_mesh)
    with pytest.raises(ReposeError, match="other bodies"):
        score(tmp_path / "p.zarr", store.path, fewer)


def test_a_body_in_no_test_pose_is_refused(store, splits, tmp_path):
    with pytest.raises(ReposeError, match="identity 0 is in no test pose"):
        none = pd.DataFrame({"identity_mesh": ["id2_77"], "pose_mesh": ["id3_78"], "truth_mesh": ["id2_78"]})
        predicted(store, splits | {"unseen": none}, tmp_path, "rest")
