"""A dataset of another package: docs/adding.md shows its two files, and here they go through the real workflow."""

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, Project
from released import body, faces_of, ply

from repose.store.mesh_store import MeshStore

PACKAGE = ROOT / "tests" / "outside_scans"
FILES = ("lab_scans.py", "pyproject.toml")
CONFIG = """\
datasets:
  lab-scans: {source: lab-scans}
methods:
  copy-identity: {architecture: copy, mesh: identity}
tables:
  table1: {datasets: [lab-scans], methods: [copy-identity]}
"""
STORE = "results/data/lab-scans/meshes.zarr"
SPLITS = [f"results/splits/lab-scans/{part}.parquet" for part in ("train", "unseen", "seen-pose")]


@pytest.fixture(scope="module")
def package(outside_packages) -> Path:
    """A copy of the package that a test may edit, as if it were installed."""
    return outside_packages[PACKAGE.name]


@pytest.fixture(scope="module")
def project(tmp_path_factory, outside_jobs) -> Project:
    """Raw files as downloaded, converted, packed and split."""
    project = Project(tmp_path_factory.mktemp("project"), outside_jobs)
    project.presets = ()
    (project.folder / "config.yaml").write_text(CONFIG)
    folder = project.folder / "data" / "raw" / "lab-scans"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "scans.zip", "w") as archive:
        for identity, pose in ((i, p) for i in range(4) for p in range(8)):
            mesh = ply(body(identity, pose, 122), faces_of(122))
            archive.writestr(f"scans/person{identity}/pose{pose}.ply", mesh)
    project.snakemake(STORE, *SPLITS)
    return project


def test_its_meshes_are_packed_as_they_were_and_split_by_its_defaults(project):
    store = MeshStore(project.folder / STORE)
    for identity, pose in ((0, 0), (3, 7)):
        (vertices,) = store.vertices([store.index_of(f"id{identity}_{pose}")])
        assert np.array_equal(vertices, body(identity, pose, 122))
    assert np.array_equal(store.faces, faces_of(122))
    train, unseen, seen = (pd.read_parquet(project.folder / split) for split in SPLITS)
    assert train.role.value_counts().to_dict() == {"train": 20, "val": 4}
    for rows, people, poses in (
        (train[train.role == "train"], "01", "0123"),
        (train[train.role == "val"], "01", "45"),
        (unseen, "23", "67"),
        (seen, "23", "0123"),
    ):
        assert rows.truth_mesh.str.fullmatch(f"id[{people}]_[{poses}]").all()
    assert len(unseen) == len(seen) == 4
    assert project.planned(STORE, *SPLITS) == {}


@pytest.mark.parametrize(
    ("old", "new", "planned"),
    [
        ("The scans of", "Scans of", {}),
        (
            "vertices=122",
            "vertices=120 + 2",
            {"raw_files": 1, "convert": 1, "store": 1, "split": 3},
        ),
    ],
)
def test_an_edit_of_its_code_makes_its_data_again(project, package, old, new, planned):
    file = package / "lab_scans.py"
    before = file.read_text()
    assert old in before
    file.write_text(before.replace(old, new))
    assert project.planned(STORE, *SPLITS) == planned
    file.write_text(before)


def test_it_is_listed_with_the_others(project):
    listed = json.loads(project.repose("raw", "--list", "--json").stdout)
    (mine,) = (entry for entry in listed if entry["name"] == "lab-scans")
    assert mine["state"] == "present" and mine["get"] == "scans.zip"


def test_a_config_that_names_it_where_it_is_not_installed_says_what_is(tmp_path, quick_jobs):
    elsewhere = Project(tmp_path, quick_jobs)
    (tmp_path / "config.yaml").write_text(CONFIG)
    done = elsewhere.repose("config", "--check", "config.yaml", check=False)
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert "config.yaml:2: datasets.lab-scans: unknown source 'lab-scans'" in line
    assert "installed: deepfashion, deformingthings4d" in line and "smpl, smpl-npt" in line


def test_the_page_shows_the_files_as_they_are():
    page = (ROOT / "docs" / "adding.md").read_text()
    blocks = dict(
        re.findall(r"^File `([\w.]+)`:\n\n```\w+\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    )
    assert blocks == {name: (PACKAGE / name).read_text() for name in FILES}
