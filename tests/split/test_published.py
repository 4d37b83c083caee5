"""Published test lists: every row counts, also where several share a truth."""

import numpy as np
import pandas as pd
import pytest
import torch
import trimesh
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from repose.convert.bodies import write_bodies
from repose.convert.catalog import COLUMNS as CATALOG
from repose.convert.catalog import mesh_id
from repose.errors import ReposeError
from repose.methods.copies.settings import CopyMeshSettings
from repose.methods.interface import Transfer, TransferNetwork
from repose.predict.meshes import predict
from repose.provenance.manifest import Recorder, load, manifest_path
from repose.raw.smpl_npt import SmplNpt
from repose.score.meshes import score
from repose.split.meshes import run
from repose.split.protocols import Partition
from repose.split.published import read_published
from repose.split.triples import Meshes, draw_triples, write_list
from repose.store.mesh_store import MeshStore
from repose.store.pack import pack

PAIRS = {(i, p) for i in range(30) for p in range(800)}
ANY = Partition([], [], list(range(800)))


def read(path, pairs=PAIRS, identities=ANY, poses=ANY):
    return read_published(path, "test-unseen", pairs, identities, poses)


def like_the_human_list(seed=0):
    """400 distinct rows of unseen identities and poses with 378 distinct truths."""
    rng = np.random.default_rng(seed)
    rows, truths = {}, set()
    while len(rows) < 400:
        i, j = rng.integers(16, 30, 2)
        p, q = rng.integers(601, 800, 2)
        if len(truths) == 378 or (len(rows) >= 360 and len(rows) - len(truths) < 22):
            i, q = sorted(truths)[rng.integers(len(truths))]
        elif (i, q) in truths:
            continue
        if (i, p, j, q) not in rows:
            rows[i, p, j, q] = f"id{i}_{p} id{j}_{q} id{i}_{q}"
            truths.add((i, q))
    return list(rows.values())


def test_every_row_of_a_list_with_shared_truths_is_kept(tmp_path):
    lines = like_the_human_list()
    (tmp_path / "list").write_text("\n".join(lines) + "\n")
    rows = read(tmp_path / "list")
    assert len(rows) == 400 and rows.truth_mesh.nunique() == 378
    assert not rows.duplicated(["identity_mesh", "pose_mesh"]).any() and set(rows.role) == {"test-unseen"}
    assert (rows.identity_mesh + " " + rows.pose_mesh + " " + rows.truth_mesh).tolist() == lines


@pytest.mark.parametrize("pattern", ["{i}_{p}.obj", "id{i}_{p}.obj", "toy_{i}_{p}.ply", "toy_{i}_{p}"])
def test_all_published_namings_give_our_mesh_ids(tmp_path, pattern):
    names = [pattern.format(i=i, p=p) for i, p in ((3, 17), (8, 40), (3, 40))]
    (tmp_path / "list").write_text("  ".join(names) + "\r\n\r\n")
    assert read(tmp_path / "list").iloc[0, :3].tolist() == ["id3_17", "id8_40", "id3_40"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no rows"),
        ("id1_2 id3_4", r"list:1: 'id1_2 id3_4' is not"),
        ("id1_2 id3_4 id1_4 id5_6", "is not `identity pose truth`"),
        ("id1_2 ../id3_4 id1_4", "is not `identity pose truth`"),
        ("id1_2 id3_4 id3_2", "truth id3_2 is not the identity of id1_2"),
        ("id1_2 id3_4 id1_4\n\nid1_2.obj id3_4.obj id1_4.obj", "list:3: id1_2 and id3_4 stand in line 1 too"),
    ],
)
def test_malformed_lists_are_refused_by_line(tmp_path, text, says):
    (tmp_path / "list").write_text(text)
    with pytest.raises(ReposeError, match=says):
        read(tmp_path / "list")


def test_unknown_meshes_training_meshes_and_unreadable_lists_are_refused(tmp_path):
    (tmp_path / "list").write_text("id1_2 id3_4 id1_4\n")
    there = {(1, 2), (3, 4), (1, 4)}
    assert len(read(tmp_path / "list", there)) == 1
    with pytest.raises(ReposeError, match=r"list:1: the dataset has no mesh id1_4"):
        read(tmp_path / "list", there - {(1, 4)})
    for parts in ({"identities": Partition([3], [], [1])}, {"poses": Partition([], [4], [2])}):
        with pytest.raises(ReposeError, match=r"list:1: id3_4 is no test mesh"):
            read(tmp_path / "list", **parts)
    (tmp_path / "list").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ReposeError, match=r"list: not a text in UTF-8: byte 0"):
        read(tmp_path / "list")
    with pytest.raises(ReposeError, match=r"none: no such file"):
        read(tmp_path / "none")


@settings(max_examples=30)
@given(st.text(alphabet="id_toy.obj0123456789 \n\t-/\\x", max_size=60))
def test_any_text_is_read_or_refused(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("lists") / "list"
    path.write_text(text)
    try:
        rows = read(path)
    except ReposeError:
        return
    assert len(rows) == sum(bool(line.split()) for line in text.splitlines())


def test_what_we_write_reads_back(tmp_path):
    drawn = draw_triples(Meshes(PAIRS), range(5), range(7), 60, "test-unseen", 0)
    write_list(drawn, tmp_path / "list")
    pd.testing.assert_frame_equal(read(tmp_path / "list"), drawn)


ORDERED = CopyMeshSettings(architecture="copy", mesh="pose")  # what is said of the network below


@pytest.fixture
def store(tmp_path):
    sphere = trimesh.creation.icosphere(subdivisions=1)
    rng = np.random.default_rng(0)
    bodies = ((i, p, sphere.vertices * rng.uniform(0.5, 1, 3)) for i in range(3) for p in range(3))
    rows = write_bodies(bodies, sphere.faces.astype(np.int32), tmp_path / "obj", "test", "own")
    pack(rows, tmp_path / "obj", tmp_path / "meshes.zarr")
    return MeshStore(tmp_path / "meshes.zarr")


class Mean(torch.nn.Module, TransferNetwork):
    """Its result depends on both inputs, so that rows with one truth differ."""

    ordered = True

    def forward(self, identity, pose):
        return Transfer((identity + pose) / 2)


def test_rows_that_share_a_truth_keep_their_own_predictions_and_scores(store, tmp_path):
    (tmp_path / "list").write_text("id0_0 id1_1 id0_1\nid0_2 id1_1 id0_1\nid0_0 id2_1 id0_1\n")
    rows = read(tmp_path / "list")
    predict(ORDERED, Mean(), store.path, {"unseen": rows}, "cpu", tmp_path / "p.zarr", "mean")
    vertices = zarr.open_array(tmp_path / "p.zarr" / "unseen" / "vertices", mode="r")[:]
    assert all(not np.allclose(vertices[a], vertices[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    scored = score(tmp_path / "p.zarr", store.path, {"unseen": rows})
    keys = ["identity_mesh", "pose_mesh", "metric"]
    assert not scored.duplicated(keys).any() and scored[scored.metric == "pmd_m2"].value.nunique() == 3


def test_a_row_given_twice_is_no_second_prediction(store, tmp_path):
    rows = draw_triples(Meshes(PAIRS), range(3), range(3), 4, "test-unseen", 0)
    with pytest.raises(ReposeError, match=r"the unseen triples have .* twice"):
        twice = {"unseen": pd.concat([rows, rows[:1]])}
        predict(ORDERED, Mean(), store.path, twice, "cpu", tmp_path / "p.zarr", "mean")


def test_the_split_of_a_dataset_takes_its_published_list(tmp_path):
    names = [(i, p) for i in range(30) for p in range(0, 800) if p < 20 or p >= 200]
    rows = pd.DataFrame(names, columns=["identity", "pose"])
    rows["mesh_id"] = [mesh_id(*name) for name in names]
    rows[[c for c in CATALOG if c not in rows.columns]] = 0
    catalog = tmp_path / "catalog.parquet"
    rows.to_parquet(catalog)
    Recorder("convert", "0", {}).seal(manifest_path(catalog), [catalog])
    (tmp_path / "list").write_text("\n".join(like_the_human_list()))
    dataset = SmplNpt(source="smpl-npt", test_list=str(tmp_path / "list"))
    run(dataset, "unseen", catalog, tmp_path / "unseen.parquet")
    split = pd.read_parquet(tmp_path / "unseen.parquet")
    assert len(split) == 400 and split.truth_mesh.nunique() == 378
    before = load(tmp_path / "unseen.manifest.json")
    (tmp_path / "list").write_text("\n".join(like_the_human_list()[:-1]))
    run(dataset, "unseen", catalog, tmp_path / "unseen.parquet")
    after = load(tmp_path / "unseen.manifest.json")
    assert len(pd.read_parquet(tmp_path / "unseen.parquet")) == 399 and after.digest != before.digest
    drawn = SmplNpt(source="smpl-npt").split_settings("unseen")
    assert "test_list" not in drawn and "test_list" not in dataset.split_settings("seen-pose")
