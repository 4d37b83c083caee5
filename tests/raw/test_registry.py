"""The registry, and what `repose raw --list` says of every dataset."""

import json
import re
import zipfile
from pathlib import Path
from typing import Literal

import pytest
from pydantic import TypeAdapter
from released import write_faust
from typer.testing import CliRunner

from repose.cli import app
from repose.config.models import Dataset
from repose.errors import ReposeError
from repose.raw import registry
from repose.raw.file_per_mesh import FilePerMesh
from repose.raw.listing import state_of
from repose.raw.page import page
from repose.raw.registry import installed

NAMES = ["deepfashion", "deformingthings4d", "dfaust", "faust", "market-1501", "mixamo", "open-animal",
         "open-fashion", "open-human", "open-market", "open-npt", "smal", "smpl", "smpl-npt"]  # fmt: skip
# What their configuration cannot leave out.
COUNTS = {key: {"train": 2, "val": 2, "test": 2} for key in ("identities", "poses")}
NEEDED = {
    "mixamo": {"character": "x"},
    "deformingthings4d": {"animal": "x"},
    "open-animal": COUNTS,
    "open-human": COUNTS,
}


def dataset(name: str, **settings):
    return installed()[name](source=name, **NEEDED.get(name, {}), **settings)


def listed(folder) -> dict[str, dict]:
    done = CliRunner().invoke(app, ["raw", "--list", "--json", "--data", str(folder)])
    assert done.exit_code == 0, done.output
    return {entry["name"]: entry for entry in json.loads(done.output)}


def test_every_dataset_says_what_it_is_and_where_to_get_it():
    assert list(installed()) == NAMES
    for name, found in installed().items():
        entry = found.entry
        assert entry.what and entry.licence and entry.naming and entry.split
        if found.is_licensed:
            assert entry.home.startswith("https://") and entry.get
            line = str(dataset(name, folder="data/raw/x").missing())
            assert "\n" not in line and entry.home in line and "data/raw/x" in line


@pytest.mark.parametrize("name", NAMES)
def test_every_dataset_can_stand_in_the_config_and_is_read_from_what_its_raw_stage_makes(name, tmp_path):
    chosen = dataset(name)
    assert TypeAdapter(Dataset).validate_python(chosen.model_dump(mode="json")) == chosen
    raw = "inventory of raw files" if chosen.is_licensed else "recipe"
    with pytest.raises(ReposeError, match=f"no (such )?{raw}"):
        chosen.open_source(tmp_path / "raw").items()


def test_who_names_no_facts_or_another_name_is_refused(monkeypatch):
    class Nameless(FilePerMesh):
        """Its `source` may be anything."""

    class Factless(FilePerMesh):
        """It has no facts."""

        source: Literal["factless"]

    for name, found, says in (
        ("nameless", Nameless, "is another one in its class"),
        ("other", Factless, "is another one in its class"),
        ("factless", Factless, "has no facts"),
    ):
        monkeypatch.setattr(registry, "offered", lambda *_, name=name, found=found: {name: found})
        with pytest.raises(ReposeError, match=says):
            installed.__wrapped__()


@pytest.mark.parametrize(
    ("name", "path", "found"),
    [
        ("faust", "MPI-FAUST/training/registrations/tr_reg_042.ply", ("04", "2")),
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
def test_names_of_released_files(name, path, found):
    match = installed()[name].entry.match(path)
    assert (match.groups() if match else None) == found


def test_states(tmp_path):
    states = listed(tmp_path / "nothing")
    assert list(states) == NAMES
    assert {name: entry["state"] for name, entry in states.items()} == dict.fromkeys(NAMES, "missing") | {
        "open-human": "open",
        "open-animal": "open",
        "open-fashion": "open",
        "open-market": "open",
        "open-npt": "open",
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
    assert state_of(installed()["faust"], tmp_path).state == "present"


@pytest.mark.parametrize("columns", [30, 200])
def test_the_list_is_for_people_and_breaks_no_address(tmp_path, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    done = CliRunner().invoke(app, ["raw", "--list", "--data", str(tmp_path)])
    assert done.exit_code == 0 and all(name in done.output for name in NAMES)
    assert len(re.findall("missing", done.output)) == 9
    words = set(done.output.split())
    assert {dataset.entry.home for dataset in installed().values() if dataset.is_licensed} <= words


def test_raw_without_a_dataset_says_what_it_needs():
    done = CliRunner().invoke(app, ["raw"])
    assert done.exit_code == 1 and "--list" in str(done.exception)


def test_the_page_is_in_step_with_the_registry():
    root = Path(__file__).parents[2]
    assert (root / "docs" / "data.md").read_text() == page()
    assert all(f"| {name} |" in page() for name in NAMES)
