"""Motions of open animals, predicted frame by frame and scored, and what an audit says of the table."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from benchmark.test_enter import reseal
from safetensors.torch import save_file
from typer.testing import CliRunner

from repose.cli import app
from repose.config.load import load_files
from repose.errors import ReposeError
from repose.methods.build import build
from repose.motions.clips import clips_of
from repose.motions.stage import chosen, differs_from_inputs, markdown
from repose.plan import Plan
from repose.provenance.manifest import Recorder, load, manifest_path
from repose.provenance.owner import mark
from repose.results import Results
from repose.synthetic.open_animal.generation import generate
from repose.synthetic.open_animal.motion import KINDS, motion
from repose.synthetic.open_animal.recipe import Recipe, Settings

CONFIG = """\
datasets:
  animals:
    source: open-animal
    vertices: 600
    identities: {train: 1, val: 2, test: 2}
    poses: {train: 1, val: 2, test: 3}
    pairs: {train: 2, val: 2, test: 2}
  photos: {source: open-fashion}
methods:
  copy-pose: {architecture: copy, mesh: pose}
  copy-source: {architecture: copy-image, image: source}
  dt-rest: {architecture: deformation-transfer}
  npt:
    architecture: npt
    pooling: max
    width: 8
    training: {steps: 2, batch: 2, points: 40, learning_rate: 1.0e-3, validate_every: 2}
  npt-turned: {like: npt, finish: rotations, weights_of: npt}
tables:
  table1: {datasets: [animals], methods: [copy-pose, dt-rest, npt, npt-turned]}
  table2: {datasets: [photos], methods: [copy-source]}
motions: {frames: 6, pairs: 1}
compute: {device: cpu}
"""
VAL, TEST = (1, 2), (3, 4)


def command(folder: Path, *arguments: object):
    where = ["--config", folder / "config.yaml", "--results", folder / "results"]
    return CliRunner().invoke(app, [str(a) for a in (*arguments, *where)])


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A finished table of motions, of weights that nobody has trained."""
    folder = tmp_path_factory.mktemp("motions")
    (folder / "config.yaml").write_text(CONFIG)
    mark(folder / "results")
    plan = Plan(load_files(folder / "config.yaml"), Results(folder / "results"))
    raw, model = plan.results.recipe("animals"), plan.results.run("animals", "npt", 0)
    generate(Settings(600, 5, 6, 0)).write(raw)
    model.parent.mkdir(parents=True)
    torch.manual_seed(0)
    save_file(build(plan.config.methods["npt"]).state_dict(), model)
    for stage, path in (("raw", raw), ("train", model)):
        Recorder(stage, "code", {}, seed=0).seal(manifest_path(path), [path])
    done = command(folder, "motions", "table1")
    assert done.exception is None, done.output
    return folder


def table(project: Path) -> pd.DataFrame:
    return pd.read_csv(project / "results" / "motions" / "table1.csv")


def test_every_motion_has_a_row_of_every_method_smoothed_and_not(project):
    rows = table(project)
    assert set(rows.motion) == set(KINDS) and set(zip(rows.moving, rows.identity, strict=True)) == {TEST}
    counts = rows.groupby(["method", "smoothed"]).size().to_dict()
    methods = ["copy-pose", "dt-rest", "npt", "npt-turned"]
    assert counts == {("truth", "no"): 2} | {(m, word): 2 for m in methods for word in ("no", "yes")}
    truth = rows[rows.method == "truth"]
    assert (truth[["mpve_mm", "acceleration_error", "below_floor_mm"]] == 0).all(axis=None)
    assert (rows[rows.smoothed == "no"].sigma_frames == 0).all() and (
        rows.mpve_mm[rows.method != "truth"] > 0
    ).all()
    page = (project / "results" / "motions" / "table1.md").read_text()
    assert page == markdown(rows) and "| animals | npt-turned | 0 | yes |" in page


def test_a_copy_is_as_far_off_as_the_other_body(project):
    recipe = Recipe.read(project / "results/data/animals/raw.npz")
    seen, truth = (motion(recipe, "walk", body, 6) for body in TEST)
    off = seen - seen.mean(axis=1, keepdims=True) - truth + truth.mean(axis=1, keepdims=True)
    row = table(project).set_index(["method", "motion", "smoothed"]).loc[("copy-pose", "walk", "no")]
    assert row.mpve_mm == pytest.approx(1000 * np.linalg.norm(off, axis=2).mean(), rel=1e-4)
    bent = off[2:] - 2 * off[1:-1] + off[:-2]
    assert row.acceleration_error == pytest.approx(900 * np.linalg.norm(bent, axis=2).mean(), rel=1e-3)


def test_ways_go_through_poses_of_their_part_and_bodies_are_seen_at_rest(project):
    dataset = {
        "motions": "repose.synthetic.open_animal.motion",
        "identities": {"val": [*VAL]},
        "poses": {"val": [1, 2]},
    }
    path = project / "results/data/animals/raw.npz"
    clips = clips_of(dataset, path, "val", 5, 7)
    assert {(clip.moving, clip.identity) for clip in clips.clips} == {(1, 2), (2, 1)}, "each for the next one"
    recipe = Recipe.read(path)
    way = next(clip for clip in clips.clips if clip.kind == "poses" and clip.moving == 1)
    assert np.array_equal(way.seen, motion(recipe, "poses", 1, 5, 0, [1, 2]))
    rows = clips.triples["poses-1-2"]
    rest, seen = (
        clips.vertices(rows[name].map(clips.index_of).to_numpy()) for name in ("identity_mesh", "pose_mesh")
    )
    assert np.array_equal(seen, way.seen) and np.allclose(np.ptp(rest, axis=0), 0)
    assert np.allclose(np.ptp(rest[0], axis=0), np.ptp(recipe.rest_vertices[2], axis=0), atol=1e-5)
    with pytest.raises(ReposeError, match="motions need two val identities"):
        clips_of(dataset | {"identities": {"val": [1]}}, path, "val", 5, 1)


def test_what_trembles_is_smoothed_and_what_does_not_is_left(project):
    dataset = {
        "motions": "repose.synthetic.open_animal.motion",
        "identities": {"val": [*VAL]},
        "poses": {"val": [1, 2]},
    }
    clips = clips_of(dataset, project / "results/data/animals/raw.npz", "val", 20, 1).clips
    draw = np.random.default_rng(0)
    rough = [clip.truth + draw.normal(0, 0.02, clip.truth.shape) for clip in clips]
    assert chosen([clip.truth for clip in clips], clips) == 0 < chosen(rough, clips)


def audited(path, *options):
    said = CliRunner().invoke(app, ["audit", str(path), "--json", *options]).stdout
    return json.loads(said[: said.rindex("}") + 1])


def test_an_audit_predicts_again_and_finds_a_better_number(project, tmp_path):
    found = audited(project / "results" / "motions" / "table1.csv", "--rescore")
    assert found["holds"], found
    copy = shutil.copytree(project / "results", tmp_path / "results") / "motions" / "table1.csv"

    def halved(path):
        rows = pd.read_csv(path)
        rows.assign(mpve_mm=rows.mpve_mm / 2).to_csv(path, index=False)

    reseal(copy, halved)
    faults = differs_from_inputs(load(manifest_path(copy)))
    assert faults == [
        "has other numbers than its inputs give",
        "its Markdown twin does not say what the table says",
    ]


def test_a_table_without_bodies_that_move_is_refused_in_one_line(project):
    done = command(project, "motions", "table2")
    assert "table2 has no dataset with motions" in str(done.exception)
