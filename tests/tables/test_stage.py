"""The stage `tables` on runs made by hand: what it takes scores of renders from, and what is checked behind them."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from repose.audit.audit import audit
from repose.audit.compare import compare
from repose.audit.crate import write_crate
from repose.errors import ReposeError
from repose.provenance.manifest import Recorder, load, manifest_path
from repose.tables.stage import RunFiles, run

ROOT = Path(__file__).parents[2]
TRIPLE = ["identity_mesh", "pose_mesh", "truth_mesh"]
PAIR = ["source_image", "target_image"]
SCORER = "runs/open-human/render-scorer/seed0/model.safetensors"
JUDGED = "judged/open-human/npr/seed0.parquet"


def make(path, content, stage, inputs=(), params=None, describe=None):
    """An artefact of a table of rows, or of text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content) if isinstance(content, str) else content.to_parquet(path, index=False)
    recorder = Recorder(stage, "code", params or {}, 0 if stage == "train" else None)
    for name, parent in inputs:
        recorder.uses(name, manifest_path(parent))
    recorder.seal(manifest_path(path), [path], describe)
    return path


def rows(key, *values):
    return pd.DataFrame(values, columns=["protocol", *key, "metric", "value"])


def transfers(results, method, model=None):
    """A run of transfers, and what was said of pictures of them."""
    place = f"open-human/{method}/seed0"
    inputs = [("run", model)] if model else []
    predictions = make(
        results / f"predictions/{place}.txt", method, "predict", inputs, describe={"parameters": 7}
    )
    mesh = ("id3_0", "id0_1", "id3_1", "pmd_m2")
    scores = rows(TRIPLE, ("unseen", *mesh, 0.5), ("one-source", *mesh, 0.2))
    said = rows(TRIPLE, *(("one-source", f"id{k}", "", "", "render_fid", float(k)) for k in (2, 3)))
    return RunFiles(
        "open-human",
        method,
        0,
        make(results / f"scores/{place}.parquet", scores, "score", [("predictions", predictions)]),
        predictions,
        model,
        ("one-source", "own-body"),
        make(
            results / f"judged/{place}.parquet", said, "judge",
            [("predictions", predictions), ("scorer", results / SCORER)], {"medium": "meshes"},
        ),
    )  # fmt: skip


def generated(results):
    place = "open-human/rest-pose/seed0"
    predictions = make(results / f"predictions/{place}.txt", "", "predict", describe={"parameters": 0})
    scores = make(
        results / f"scores/{place}.parquet", rows(["identity"], ("own-body", 0, "coverage", 0.3)), "score",
        [("predictions", predictions)],
    )  # fmt: skip
    judged = make(
        results / f"judged/{place}.parquet", rows(["identity"], ("own-body", 0, "render_fid", 5.0)), "judge",
        [("predictions", predictions), ("scorer", results / SCORER)], {"medium": "poses"},
    )  # fmt: skip
    protocols = ("one-source", "own-body")
    return RunFiles("open-human", "rest-pose", 0, scores, predictions, None, protocols, judged)


def all_runs(results, steps=10):
    make(results / SCORER, f"weights {steps}", "train", params={"steps": steps})
    model = make(results / "runs/open-human/npr/seed0/model.safetensors", "weights", "train")
    return [transfers(results, "copy-identity"), transfers(results, "npr", model), generated(results)]


@pytest.fixture
def results(tmp_path):
    run(all_runs(tmp_path / "results"), tmp_path / "results" / "table4.csv", "poses")
    return tmp_path / "results"


def test_what_was_said_of_pictures_stands_beside_the_scores(results):
    table = pd.read_csv(results / "table4.csv").set_index("method")
    assert table.protocol.tolist() == ["one-source", "one-source", "own-body"]
    assert table.render_fid.tolist() == [2.5, 2.5, 5] and table.pmd_e4["npr"] == 2000
    assert table.coverage["rest-pose"] == 0.3 and table.bodies["rest-pose"] == 1 and table.pairs["npr"] == 1


def test_a_table_without_a_scorer_reads_the_scores_alone(results):
    runs = [RunFiles(**{**vars(files), "judged": None}) for files in all_runs(results)]
    run(runs, results / "table5.csv", "poses")
    table = pd.read_csv(results / "table5.csv")
    assert table.render_fid.isna().all() and table.pmd_e4.notna().sum() == 2
    assert not any("render-scorer" in node.place for node in audit(results / "table5.csv").nodes)


def test_pictures_of_other_predictions_are_refused(results):
    runs = all_runs(results)
    older = make(results / "older.txt", "older", "predict", describe={"parameters": 0})
    said = pd.read_parquet(results / JUDGED)
    make(results / JUDGED, said, "judge", [("predictions", older), ("scorer", results / SCORER)])
    with pytest.raises(ReposeError, match="npr/seed0.*: was made from another predictions"):
        run(runs, results / "table4.csv", "poses")


def test_an_audit_walks_into_what_was_said_and_to_who_said_it(results):
    cell = {"method": "npr"}
    found = audit(results / "table4.csv", cell)
    assert found.faults == [] and found.rows[0].cells["render_fid"] == "2.5"
    places = {node.place for node in found.nodes}
    assert {manifest_path(Path(p)).as_posix() for p in (JUDGED, SCORER)} <= places
    said = pd.read_parquet(results / JUDGED)
    said["value"] *= 2
    said.to_parquet(results / JUDGED, index=False)
    assert any(
        what == "seed0.parquet does not match its manifest"
        for _, what in audit(results / "table4.csv").faults
    )
    parents = load(manifest_path(results / JUDGED)).parents
    recorder = Recorder("judge", "code", {"medium": "meshes"})
    for name, parent in parents.items():
        recorder.uses(name, parent)
    recorder.seal(manifest_path(results / JUDGED), [results / JUDGED])
    faults = [what for _, what in audit(results / "table4.csv", cell).faults]
    assert (
        "was made from another judged:open-human/npr/seed0 than judged/open-human/npr/seed0.manifest.json"
        in faults
    )
    assert "open-human npr one-source: render_fid is 2.5, its scores give 5.0" in faults


def test_a_crate_carries_what_was_said(results, tmp_path):
    write_crate(audit(results / "table4.csv"), ROOT, tmp_path / "crate")
    assert (tmp_path / "crate" / "results" / JUDGED).is_file()
    assert not (tmp_path / "crate" / "results" / SCORER).exists()


def test_another_training_of_the_scorer_is_named_as_the_cause(results, tmp_path):
    other = shutil.copytree(results, tmp_path / "other")
    runs = all_runs(other, steps=20)
    for files in runs:
        said = pd.read_parquet(files.judged)
        kind = "poses" if "identity" in said else "meshes"
        inputs = [("predictions", files.predictions), ("scorer", other / SCORER)]
        make(files.judged, said.assign(value=said.value + 1), "judge", inputs, {"medium": kind})
    run(runs, other / "table4.csv", "poses")
    found = compare(results, other)
    assert {number.column for number in found.numbers} == {"render_fid"} and len(found.numbers) == 3
    for number in found.numbers:
        assert [(cause.what, cause.a, cause.b) for cause in number.causes] == [("params.steps", "10", "20")]


def test_a_gain_stands_on_the_first_method_too(tmp_path):
    runs = []
    for method, value in (("copy-source", 0.2), ("flow", 0.5), ("flow-full", 0.6)):
        place = f"open-fashion/{method}/seed0"
        predictions = make(tmp_path / f"predictions/{place}.txt", "", "predict", describe={"parameters": 0})
        scores = rows(PAIR, ("unseen", "a", "b", "ssim_u7", value), ("unseen", "a", "c", "ssim_u7", value))
        out = make(tmp_path / f"scores/{place}.parquet", scores, "score", [("predictions", predictions)])
        runs.append(RunFiles("open-fashion", method, 0, out, predictions, None))
    run(runs, tmp_path / "table2.csv", "images")
    found = audit(tmp_path / "table2.csv", {"method": "flow-full"})
    assert found.faults == [] and found.rows[0].cells["ssim_u7_gain"] == "0.4"
    methods = {branch.split("/")[1] for branch in found.rows[0].branches}
    assert methods == {"copy-source", "flow-full"}
