"""The stage on the numbers of real datasets: few identities, own numbers, no truth."""

import pandas as pd
import pytest
from pydantic import TypeAdapter

from repose.config.models import Dataset
from repose.convert.catalog import COLUMNS
from repose.errors import ReposeError
from repose.provenance.manifest import Recorder, load, manifest_path
from repose.raw.dfaust import MOTIONS
from repose.split.meshes import run


def catalogue(folder, pairs):
    rows = [(f"id{i}_{p}", i, p, 3, 1, "00", "made", "own") for i, p in pairs]
    pd.DataFrame(rows, columns=COLUMNS).to_parquet(folder / "catalog.parquet")
    Recorder("convert", "code", {}).seal(
        manifest_path(folder / "catalog.parquet"), [folder / "catalog.parquet"]
    )
    return folder / "catalog.parquet"


def triples(dataset, part, catalog) -> pd.DataFrame:
    out = catalog.parent / "splits" / f"{part}.parquet"
    run(TypeAdapter(Dataset).validate_python(dataset), part, catalog, out)
    return pd.read_parquet(out)


def test_faust_has_enough_for_its_defaults(tmp_path):
    catalog = catalogue(tmp_path, [(i, p) for i in range(10) for p in range(10)])
    train, unseen, seen = (
        triples({"source": "faust"}, part, catalog) for part in ("train", "unseen", "seen-pose")
    )
    assert train.role.value_counts().to_dict() == {"train": 1000, "val": 60}
    assert len(unseen) == len(seen) == 12
    meshes = [
        set(t[["identity_mesh", "pose_mesh", "truth_mesh"]].to_numpy().ravel()) for t in (train, unseen, seen)
    ]
    assert not meshes[0] & (meshes[1] | meshes[2])
    fewer = triples({"source": "faust", "pairs": {"train": 10}}, "unseen", catalog)
    assert fewer.equals(unseen), "what is said of training leaves the test at the dataset's own number"
    by_role = [set(t.truth_mesh) for _, t in train.groupby("role")]
    assert not by_role[0] & by_role[1]


def test_halves_are_those_of_the_published_samplers(tmp_path):
    catalog = catalogue(tmp_path, [(i, p) for i in range(30) for p in range(800)])
    dataset = TypeAdapter(Dataset).validate_python({"source": "open-npt"})
    found = {}
    for part in ("bent", "straight"):
        out = tmp_path / f"{part}.parquet"
        run(dataset, part, catalog, out, raw=catalog)  # of which nothing is read: numbers say it
        poses = pd.read_parquet(out).pose_mesh.str.extract(r"id(\d+)_(\d+)").astype(int)
        assert len(poses) == 400 and poses[0].between(16, 29).all()
        found[part] = poses[1]
        assert (
            "raw" in load(manifest_path(out)).parents
            and load(manifest_path(out)).history["params"]["split"]["half"]
        )
    assert found["bent"].between(20, 199).all() and found["straight"].between(600, 799).all()


def test_a_dataset_without_halves_has_no_list_of_one(tmp_path):
    catalog = catalogue(tmp_path, [(i, p) for i in range(10) for p in range(10)])
    with pytest.raises(ReposeError, match="faust tells no bent poses apart"):
        triples({"source": "faust"}, "bent", catalog)


def test_dfaust_has_pairs_without_truth(tmp_path):
    people = (50002, 50004, 50007, 50009, 50020, 50021, 50022, 50025, 50026, 50027)
    # The second person lacks a motion.
    there = [(i, 10_000 * k + t) for i in people for k in range(14) for t in (0, 20) if (i, k) != (50004, 3)]
    catalog = catalogue(tmp_path, there)
    train = triples({"source": "dfaust", "pairs": {"train": 200, "val": 20}}, "train", catalog)
    assert train.truth_mesh.isna().all() and len(train) == 220
    assert set(train.identity_mesh) | set(train.pose_mesh) <= {f"id{i}_{p}" for i, p in there}
    lines = (tmp_path / "splits" / "train.txt").read_text().splitlines()
    assert all(len(line.split()) == 2 for line in lines)
    assert len(MOTIONS) == 14


def test_numbers_that_are_not_there_are_named(tmp_path):
    catalog = catalogue(tmp_path, [(i, p) for i in range(10) for p in range(9)])
    with pytest.raises(ReposeError, match="the catalogue has no pose 9"):
        triples({"source": "faust"}, "unseen", catalog)
    with pytest.raises(ReposeError, match="mixamo has one identity"):
        triples({"source": "mixamo", "character": "x"}, "train", catalog)
