"""One project through all kinds of changes: after each, exactly the expected jobs are planned and run.

`tests/workflow/test_dag.py` has changes of settings, `test_leftovers.py` a rebuild with equal bytes.
"""

import shutil

import pytest
from conftest import ROOT
from tiny.project import Tiny, bring_files, mesh_file

from repose.provenance.manifest import load

MODEL, GIH = "results/runs/faust/npt/seed0/model.safetensors", "results/gih/faust.manifest.json"
EVERY = {"raw_files": 1, "convert": 1, "store": 1, "split": 1, "train": 1, "gih_part": 1, "gih": 1}
EDITED = (0, 0)  # identity and pose that the training sees


@pytest.fixture(scope="module")
def project(tmp_path_factory, quick_jobs) -> Tiny:
    project = Tiny(tmp_path_factory.mktemp("incremental"), quick_jobs)
    bring_files(project.raw)
    assert project.ran(MODEL, GIH) == EVERY
    return project


def log(project: Tiny, name: str) -> str:
    return (project.folder / "logs" / f"{name}.log").read_text()


def test_touched_files_run_nothing(project):
    for path in (*project.raw.iterdir(), *(project.folder / "results/data/faust").glob("*.manifest.json")):
        path.touch()
    assert project.planned(MODEL, GIH) == {}


def test_an_edited_module_runs_what_uses_it(project, tmp_path, monkeypatch):
    copy = shutil.copytree(ROOT / "src", tmp_path / "src")
    monkeypatch.setitem(project.environment, "PYTHONPATH", f"{copy}:{project.environment['PYTHONPATH']}")
    monkeypatch.delitem(project.environment, "REPOSE_PRELOADED")
    source = copy / "repose"
    for module, expected in (("use/doctor/words.py", {}), ("methods/npt/network.py", {"train": 1})):
        before = (source / module).read_text()
        (source / module).write_text(before + "\n\nEDITED = True\n")
        assert project.planned(MODEL, GIH) == expected, module
        (source / module).write_text(before)


def test_an_edited_setting_runs_what_follows_it(project):
    config = project.folder / "config.yaml"
    before = config.read_text()
    config.write_text(before.replace("learning_rate: 1.0e-3", "learning_rate: 2.0e-3"))
    assert project.planned(MODEL, GIH) == {"train": 1}
    config.write_text(before)


def test_an_edited_mesh_costs_its_conversion_its_distances_and_the_training(project):
    name, content = mesh_file(*EDITED, bend=12)
    (project.raw / name).write_bytes(content)
    assert project.ran(MODEL, GIH) == EVERY
    assert "convert: 1 converted, 23 unchanged, 0 removed" in log(project, "convert/faust")
    assert costs(project, "gih/faust/part0") == (1, 23)
    assert "brought back" not in log(project, "train/faust/npt/seed0")
    assert project.planned(MODEL, GIH) == {}


def test_added_and_removed_meshes_cost_only_themselves(project):
    """Pose 9 is none that the config asks for, until it does."""
    catalog = "results/data/faust/catalog.parquet"
    for identity in range(4):
        name, content = mesh_file(identity, 9)
        (project.raw / name).write_bytes(content)
    assert project.ran(catalog) == {"raw_files": 1, "convert": 1}
    assert "convert: 0 converted, 24 unchanged, 0 removed" in log(project, "convert/faust")
    config = project.folder / "config.yaml"
    before = config.read_text()
    config.write_text(
        before.replace("train: 0-1, val: 2-3, test: 4-5", "train: [0, 1, 9], val: 2-3, test: 4-5")
    )
    assert project.ran(catalog) == {"raw_files": 1, "convert": 1}
    assert "convert: 4 converted, 24 unchanged, 0 removed" in log(project, "convert/faust")
    for identity in range(4):
        (project.raw / mesh_file(identity, 9)[0]).unlink()
    config.write_text(before)
    assert project.ran(MODEL, GIH) == EVERY
    assert "convert: 0 converted, 24 unchanged, 4 removed" in log(project, "convert/faust")
    assert costs(project, "gih/faust/part0") == (0, 24)
    for stage in ("store/faust", "split/faust/train", "train/faust/npt/seed0"):
        assert "brought back" in log(project, stage), stage


def test_a_forced_rule_is_made_again(project):
    assert project.ran("--forcerun=split", "results/splits/faust/train.parquet") == {"split": 1}
    assert "made again, as asked for" in log(project, "split/faust/train")


def costs(project: Tiny, place: str) -> tuple[int, int]:
    """How many distance matrices a part computed, and how many it found."""
    history = load(project.folder / "results" / f"{place}.manifest.json").history
    return history["computed"], history["reused"]
