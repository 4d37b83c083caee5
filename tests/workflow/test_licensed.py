"""A licensed dataset in the real DAG: absent, brought, touched, changed."""

import os
import zipfile

import numpy as np
import pandas as pd
import pytest
from conftest import Project
from released import body, faces_of, ply, write_faust

from repose.convert.catalog import read_catalog
from repose.store.mesh_store import MeshStore

CONFIG = """
datasets:
  faust:
    source: faust
    identities: {train: 0, val: 0, test: 1-2}
    poses: {train: 0, val: 1, test: [8, 9]}
    pairs: {train: 1, val: 1, test: 4}
    protocols: [unseen]
"""
STORE, SCORES = "results/data/faust/meshes.zarr", "results/scores/faust/copy-pose/seed0.parquet"
MESHES = [(i, p) for i in range(3) for p in (0, 1, 8, 9)]


@pytest.fixture(scope="module")
def project(tmp_path_factory, quick_jobs) -> Project:
    project = Project(tmp_path_factory.mktemp("licensed"), quick_jobs)
    (project.folder / "faust.yaml").write_text(CONFIG)
    return project


def test_a_dataset_that_is_not_there_breaks_no_other_target_and_ends_in_one_line(project):
    assert "raw_files" not in project.planned("all", preset="faust.yaml")
    assert project.planned(STORE, preset="faust.yaml") == {"raw_files": 1, "convert": 1, "store": 1}
    out = project.snakemake(STORE, preset="faust.yaml", check=False)
    assert out.returncode == 1 and "Traceback" not in out.stdout
    [line] = [line for line in out.stdout.splitlines() if "repose: error:" in line]
    assert "MPI-FAUST.zip" in line and "https://faust" in line and "data/raw/faust/" in line
    assert not (project.folder / "results" / "data" / "faust" / "raw.json").exists()


def test_from_the_archive_to_a_score_and_again_after_a_touch_and_a_change(project):
    archive = write_faust(project.folder / "data" / "raw" / "faust" / "MPI-FAUST.zip", range(3), (0, 1, 8, 9))
    os.utime(archive, (1e9, 1e9))
    project.snakemake(SCORES, preset="faust.yaml")
    rows = read_catalog(project.folder / "results" / "data" / "faust" / "catalog.parquet")
    assert list(zip(rows.identity, rows.pose, strict=True)) == MESHES
    assert set(rows.licence) == {"research only"} and rows.source.iloc[1].endswith(
        "registrations/tr_reg_001.ply"
    )
    store = MeshStore(project.folder / STORE)
    assert np.array_equal(store.vertices(np.arange(12)), np.stack([body(*mesh) for mesh in MESHES]))
    assert np.array_equal(store.faces, faces_of(6890))
    scores = pd.read_parquet(project.folder / SCORES).set_index("metric")
    assert set(scores.protocol) == {"unseen"} and len(scores) == 4 * scores.index.nunique()
    assert scores.value["mpve_mm"].gt(1).all(), "the other person's mesh is not the truth"

    os.utime(archive, (1.1e9, 1.1e9))
    assert project.planned(SCORES, preset="faust.yaml") == {}

    with zipfile.ZipFile(archive) as old:
        content = {name: old.read(name) for name in old.namelist()}
    content["MPI-FAUST/training/registrations/tr_reg_018.ply"] = ply(body(7, 7), faces_of(6890))
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in content.items():
            new.writestr(name, data)
    out = project.snakemake(STORE, preset="faust.yaml").stdout
    assert "1 converted, 11 unchanged, 0 removed" in out
    store = MeshStore(project.folder / STORE)
    assert np.array_equal(store.vertices(np.array([store.index_of("id1_8")]))[0], body(7, 7))
