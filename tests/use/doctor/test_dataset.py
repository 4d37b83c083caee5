"""`repose doctor DATASET`: the summary of a catalogue, and the meshes that stand out in it."""

import json

import numpy as np
import pandas as pd
import pytest
import trimesh
from typer.testing import CliRunner

from repose.cli import app
from repose.convert.bodies import write_bodies
from repose.errors import ReposeError
from repose.synthetic.open_animal.generation import generate
from repose.synthetic.open_animal.posing import meshes
from repose.synthetic.open_animal.recipe import Settings
from repose.use.doctor import dataset
from repose.use.doctor.command import examine
from repose.use.doctor.words import findings

BALL = trimesh.creation.icosphere(1)


@pytest.fixture
def results(tmp_path):
    """Twelve balls: one has two corners at one place, one is inside out, and one is given twice."""
    balls = [(0, pose, BALL.vertices * (1 + pose)) for pose in range(12)]
    balls[3][2][1] = balls[3][2][0]
    balls[4] = (0, 4, -balls[4][2])
    balls[6] = (0, 6, balls[5][2])
    folder = tmp_path / "results" / "data" / "balls"
    rows = write_bodies(balls, BALL.faces, folder / "obj", "test", "own")
    rows.to_parquet(folder / "catalog.parquet")
    return tmp_path / "results"


def test_summary_has_sizes_and_every_flaw_by_name(results, capsys):
    dataset.run(results / "data" / "balls" / "catalog.parquet", as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["meshes"], found["identities"], found["poses"]) == (12, 1, 12)
    assert (found["vertices"], found["faces"], found["licence"]) == (42, 80, "own")
    assert found["height_m"] == pytest.approx([np.ptp(BALL.vertices[:, 1]) * k for k in (1, 6, 12)])
    names = [f"id0_{pose}" for pose in range(12)]
    assert found["flaws"] == {
        "of no size of a body": names[1:],
        "shorter or taller than an adult": names[1:],
        "of few vertices": names,
        "inside out": ["id0_4"],
        "with vertices at one place": ["id0_3"],
        "with the same content as an earlier one": ["id0_6"],
    }


def test_open_meshes_have_no_volume_and_only_ten_names_are_shown(results, capsys):
    catalog = results / "data" / "open" / "catalog.parquet"
    rows = write_bodies(
        [(0, p, BALL.vertices) for p in range(11)], BALL.faces[1:], catalog.parent / "obj", "", ""
    )
    rows.to_parquet(catalog)
    dataset.run(catalog)
    out = capsys.readouterr().out
    assert "volume_m3              unknown" in out
    assert "- 11 of 11 not closed: id0_0, " in out and out.count("id0_9, and 1 more") == 2


def test_the_command_takes_names_and_files(results, tmp_path):
    path = tmp_path / "ball.obj"
    BALL.export(path)
    done = CliRunner().invoke(app, ["doctor", "balls", str(path), "--results", str(results)])
    assert done.exit_code == 0 and "balls: 12 meshes" in done.output and "ball.obj" in done.output
    done = CliRunner().invoke(app, ["doctor", "bells", "--results", str(results)])
    assert done.exit_code == 1 and "dataset 'bells' is not converted (hint: snakemake " in done.stderr


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_what_cannot_be_read_has_a_line_and_the_others_are_looked_at(results, tmp_path, options):
    good, bad = tmp_path / "ball.obj", tmp_path / "nan.obj"
    BALL.export(good)
    bad.write_text("v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    names = [str(bad), "bells", str(good), str(tmp_path / "gone.obj"), "balls"]
    done = CliRunner().invoke(app, ["doctor", *names, *options, "--results", str(results)])
    said = done.stderr.splitlines()
    assert done.exit_code == 1 and len(said) == 3 and all(s.startswith("repose: error: ") for s in said)
    assert "nan.obj" in said[0] and "bells" in said[1] and "gone.obj: no such file" in said[2]
    assert "ball.obj" in done.stdout and "42" in done.stdout and "balls" in done.stdout


def test_a_folder_is_no_dataset_unless_one_has_its_name(results, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("data", "balls"):
        (tmp_path / name).mkdir()
    for folder in ("data", "results/data/balls"):
        with pytest.raises(ReposeError, match=rf"{folder}: is a folder \(hint: give its meshes, such as"):
            dataset.catalog_of(folder, results)
    assert dataset.catalog_of("balls", results) == results / "data" / "balls" / "catalog.parquet"


def test_animals_are_not_held_to_the_height_of_people(tmp_path, capsys):
    recipe = generate(Settings(vertices=600, identities=1, poses=1, seed=3))
    bodies = [(0, 0, 0.5 * meshes(recipe, 0, [0])[0])]
    rows = write_bodies(bodies, recipe.faces, tmp_path / "pets" / "obj", "open-animal", "MIT")
    rows.to_parquet(tmp_path / "pets" / "catalog.parquet")
    assert rows.height_m[0] < 1
    dataset.run(tmp_path / "pets" / "catalog.parquet")
    assert "adult" not in capsys.readouterr().out


def test_a_catalogue_of_an_older_version_is_refused(results):
    catalog = results / "data" / "balls" / "catalog.parquet"
    pd.read_parquet(catalog).drop(columns="closed").to_parquet(catalog)
    with pytest.raises(ReposeError, match=r"no column 'closed' \(hint: run `repose convert` again"):
        dataset.run(catalog)


BODY = trimesh.creation.icosphere(3)
STANDING = BODY.vertices * [0.25, 0.85, 0.2] + [0, 0.85, 0]


def dented():
    """A body one vertex of which is pushed through the other side, not quite where a vertex is there."""
    vertices = STANDING.copy()
    number = np.argmax(vertices[:, 0])
    vertices[number] = vertices[number] * [-1.5, 1, 1] + [0, 0.013, 0.007]
    return vertices


KINDS = {
    "sound": (STANDING, BODY.faces),
    "few folds": (dented(), BODY.faces),
    "small": (STANDING / 3, BODY.faces),
    "large": (STANDING * 4, BODY.faces),
    "far": (STANDING + np.array([0, 0, 90]), BODY.faces),
    "open": (STANDING, BODY.faces[1:]),
    "inside out": (STANDING, BODY.faces[:, ::-1]),
    "two pieces": (
        np.r_[STANDING, STANDING + np.array([1, 0, 0])],
        np.r_[BODY.faces, BODY.faces + len(STANDING)],
    ),
    "touching": (
        np.r_[STANDING, STANDING[1:] + np.array([0.6, 0, 0])],
        np.r_[BODY.faces, np.where(BODY.faces == 0, 0, BODY.faces + len(STANDING) - 1)],
    ),
    "through": (
        np.r_[STANDING, STANDING + np.array([0.1, 0.03, 0.02])],
        np.r_[BODY.faces, BODY.faces + len(STANDING)],
    ),
    "stray": (np.r_[STANDING, [[0, 1, 0]]], BODY.faces),
    "coarse": (BALL.vertices * [0.25, 0.85, 0.2] + [0, 0.85, 0], BALL.faces),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_mesh_is_as_unusual_alone_as_in_a_dataset(tmp_path, kind):
    vertices, faces = KINDS[kind]
    rows = write_bodies([(0, 0, vertices)], faces, tmp_path / "obj", "test", "own")
    alone = findings(examine(tmp_path / "obj" / "id0_0.obj"))
    together = dataset.summarise(rows)["flaws"]
    assert bool(alone) == bool(together) == (kind not in ("sound", "few folds")), (alone, together)
    if kind == "few folds":
        assert rows.self_intersections[0] > 0
