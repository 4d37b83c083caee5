"""Rules of `gih` under Snakemake: what was deleted or changed is computed again, once, and nothing else."""

import json
import shutil

import numpy as np
import zarr

from repose.gih.reader import GihReader
from repose.provenance.manifest import Recorder, load, manifest_path, verify
from repose.store.mesh_store import MeshStore

TARGET = "results/gih/open-human.manifest.json"
FOLDER = "results/gih/open-human"


def costs(project):
    """What the two parts computed and reused when they last ran."""
    histories = [load(manifest_path(project.folder / FOLDER / f"part{k}.json")).history for k in (0, 1)]
    return tuple(sum(history[name] for history in histories) for name in ("computed", "reused"))


def test_deleted_matrices_are_noticed_and_computed_once(project):
    root = project.folder / f"{FOLDER}.zarr"
    before = (project.folder / TARGET).read_bytes()
    count = len(GihReader(root).meshes)
    part = json.loads((project.folder / FOLDER / "part0.json").read_text())
    shutil.rmtree(root / next(iter(part["meshes"].values())))
    assert project.ran(TARGET) == {"gih_part": 1, "gih": 1}
    assert load(manifest_path(project.folder / FOLDER / "part0.json")).history["computed"] == 1
    assert project.planned(TARGET) == {}

    shutil.rmtree(root)
    assert project.ran(TARGET) == {"gih_part": 2, "gih": 1}
    assert costs(project) == (count, 0)
    assert project.planned(TARGET) == {}
    assert (project.folder / TARGET).read_bytes() == before


def test_one_changed_mesh_costs_one_matrix(project):
    packed = project.folder / "results/data/open-human/meshes.zarr"
    vertices = zarr.open_array(packed / "vertices")
    vertices[3] = np.asarray(vertices[3]) * np.float32(1.01)
    Recorder("store", "code", {}).seal(manifest_path(packed), [packed])
    project.snakemake(TARGET)
    assert costs(project) == (1, len(MeshStore(packed).mesh_ids) - 1)
    verify(project.folder / TARGET)
