"""The registry, and what `repose raw --list` says of every dataset."""

import json
import re
import zipfile
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest
from released import write_faust
from typer.testing import CliRunner

from repose.cli import app
from repose.config.datasets import Dataset, Licensed
from repose.raw.listing import state_of
from repose.raw.page import page
from repose.raw.registry import ENTRIES

NAMES = ["open-human", "open-animal", "open-fashion", "open-market", "faust", "dfaust", "smpl-npt", "smpl", "smal",
         "mixamo", "deformingthings4d", "deepfashion", "market-1501"]  # fmt: skip


def listed(folder) -> dict[str, dict]:
    done = CliRunner().invoke(app, ["raw", "--list", "--json", "--data", str(folder)])
    assert done.exit_code == 0, done.output
    return {entry["name"]: entry for entry in json.loads(done.output)}


def test_every_dataset_says_what_it_is_and_where_to_get_it():
    assert list(ENTRIES) == NAMES
    for entry in ENTRIES.values():
        assert entry.what and entry.licence and entry.naming and entry.split
        if not entry.is_open:
            assert entry.home.startswith("https://") and entry.get
            assert "\n" not in str(entry.missing("data/raw/x")) and entry.home in str(
                entry.missing("data/raw/x")
            )


def test_every_mesh_dataset_can_stand_in_the_config_and_be_read():
    sections = get_args(get_args(Dataset)[0])
    sources = {section.model_fields["source"].annotation.__args__[0]: section for section in sections}
    assert set(sources) == {name for name, entry in ENTRIES.items() if entry.kind == "meshes"}
    for source, section in sources.items():
        if issubclass(section, Licensed):
            module = import_module(f"repose.raw.{source.replace('-', '_')}")
            assert callable(module.open_source) and callable(module.wanted) and callable(module.check)
            assert section.vertices == ENTRIES[source].vertices or ENTRIES[source].vertices is None


@pytest.mark.parametrize(
    ("dataset", "path", "found"),
    [
        ("faust", "MPI-FAUST/training/registrations/tr_reg_042.ply", ("042",)),
        ("faust", "MPI-FAUST/training/registrations/tr_reg_042.png", None),
        ("faust", "__MACOSX/registrations/._tr_reg_042.ply", None),
        ("smpl-npt", "id3_617.obj", ("3", "617")),
        ("smpl-npt", "smpl_data/29_799.obj", ("29", "799")),
        ("smpl-npt", "xid3_617.obj", None),
        ("smal", "smal/toy_40_599.ply", ("40", "599")),
        ("deformingthings4d", "animals/bear3EP_Agression/bear3EP_Agression.anime", ("bear3EP", "Agression")),
        ("deformingthings4d", "animals/bear3EP_Agression/bear3EP_Other.anime", None),
        ("dfaust", "dfaust/registrations_m.hdf5", ()),
        ("deepfashion", "img/WOMEN/Tees_Tanks/id_00000001/01_1_front.jpg", ()),
        ("market-1501", "Market-1501-v15.09.15/query/0002_c1s1_000451_03.jpg", ()),
        ("market-1501", "Market-1501-v15.09.15/bounding_box_test/-1_c1s1_000451_03.jpg", ()),
        ("market-1501", "Market-1501-v15.09.15/gt_bbox/0002_c1s1_000451_03.jpg", None),
    ],
)
def test_names_of_released_files(dataset, path, found):
    match = ENTRIES[dataset].match(path)
    assert (match.groups() if match else None) == found


def test_states(tmp_path):
    states = listed(tmp_path / "nothing")
    assert list(states) == NAMES
    assert {name: entry["state"] for name, entry in states.items()} == dict.fromkeys(NAMES, "missing") | {
        "open-human": "open",
        "open-animal": "open",
        "open-fashion": "open",
        "open-market": "open",
    }
    assert "MPI-FAUST.zip" in states["faust"]["detail"] and "faust" in states["faust"]["detail"]

    write_faust(tmp_path / "faust" / "MPI-FAUST.zip", [0], [0, 1])
    (tmp_path / "dfaust").mkdir()
    for sex in "mf":
        (tmp_path / "dfaust" / f"registrations_{sex}.hdf5").touch()
    (tmp_path / "smal").mkdir()
    (tmp_path / "smal" / "animals.tar.gz").write_bytes(b"\x1f\x8b")
    states = listed(tmp_path)
    assert (states["faust"]["state"], states["faust"]["detail"]) == ("incomplete", "2 of 100 files")
    assert (states["dfaust"]["state"], states["dfaust"]["detail"]) == ("present", "2 of 2 files")
    assert states["smal"]["detail"] == "animals.tar.gz, not looked into"


def test_a_complete_zip_is_present(tmp_path):
    with zipfile.ZipFile(tmp_path / "MPI-FAUST.zip", "w") as archive:
        for n in range(100):
            archive.writestr(f"MPI-FAUST/training/registrations/tr_reg_{n:03}.ply", "")
    assert state_of(ENTRIES["faust"], tmp_path).state == "present"


def test_the_table_is_for_people(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    done = CliRunner().invoke(app, ["raw", "--list", "--data", str(tmp_path)])
    assert done.exit_code == 0 and all(name in done.output for name in NAMES)
    assert len(re.findall("missing", done.output)) == 9


def test_raw_without_a_dataset_says_what_it_needs():
    done = CliRunner().invoke(app, ["raw"])
    assert done.exit_code == 1 and "--list" in str(done.exception)


def test_the_page_is_in_step_with_the_registry():
    root = Path(__file__).parents[2]
    assert (root / "docs" / "data.md").read_text() == page()
    assert all(f"| {name} |" in page() for name in NAMES)
