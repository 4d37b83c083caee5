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
from repose.provenance.owner import mark
from repose.specs import Spec
from repose.tables.stage import run

ROOT = Path(__file__).parents[2]
TRIPLE = ["identity_mesh", "pose_mesh", "truth_mesh"]
PAIR = ["source_image", "target_image"]
SCORER = "runs/open-human/render-scorer/seed0/model.safetensors"
RENDERS = "render-scores/open-human/npr/seed0.parquet"
PROTOCOLS = ["one-source", "own-body"]


def make(path, content, stage, inputs=(), params=None, describe=None):
    """An artefact of a table of rows, or of text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content) if isinstance(content, str) else content.to_parquet(path, index=False)
    recorder = Recorder(
        stage, "code", params or {}, 0 if stage == "train" else None, modules=["repose.errors"]
    )
    for name, parent in inputs:
        recorder.uses(name, manifest_path(parent))
    recorder.seal(manifest_path(path), [path], describe)
    return path


def rows(key, *values):
    return pd.DataFrame(values, columns=["protocol", *key, "metric", "value"])


def predicted(results, place, inputs=(), parameters=0):
    path = results / f"predictions/{place}.txt"
    return make(path, place, "predict", inputs, {"told": []}, {"parameters": parameters})


def transfers(results, method, model=None):
    """The parts of a run of transfers, by the names of a table's inputs, with scores of pictures of them."""
    place = f"open-human/{method}/seed0"
    predictions = predicted(results, place, [("run", model)] if model else [], 7)
    mesh = ("id3_0", "id0_1", "id3_1", "pmd_m2")
    scores = rows(TRIPLE, ("unseen", *mesh, 0.5), ("one-source", *mesh, 0.2))
    seen = rows(TRIPLE, *(("one-source", f"id{k}", "", "", "render_fid", float(k)) for k in (2, 3)))
    parts = _scored(results, place, predictions, scores, seen, "meshes")
    return parts | ({f"run:{place}": model} if model else {})


def generated(results):
    place = "open-human/rest-pose/seed0"
    scores = rows(["identity"], ("own-body", 0, "coverage", 0.3))
    seen = rows(["identity"], ("own-body", 0, "render_fid", 5.0))
    return _scored(results, place, predicted(results, place), scores, seen, "poses")


def _scored(results, place, predictions, scores, seen, medium):
    inputs = [("predictions", predictions)]
    scores = make(results / f"scores/{place}.parquet", scores, "score", inputs, {"medium": medium})
    inputs.append(("scorer", results / SCORER))
    renders = results / f"render-scores/{place}.parquet"
    make(renders, seen, "score-renders", inputs, {"medium": medium})
    return {f"scores:{place}": scores, f"predictions:{place}": predictions, f"render-scores:{place}": renders}


def all_runs(results, steps=10):
    mark(results)
    make(results / SCORER, f"weights {steps}", "train", params={"steps": steps})
    model = make(results / "runs/open-human/npr/seed0/model.safetensors", "weights", "train")
    return transfers(results, "copy-identity") | transfers(results, "npr", model) | generated(results)


def tabulate(inputs, out, medium="poses", protocols=PROTOCOLS):
    runs = [name.removeprefix("scores:") for name in inputs if name.startswith("scores:")]
    datasets = {place.split("/")[0]: protocols for place in runs}
    params = {"table": out.stem, "medium": medium, "runs": runs, "protocols": datasets}
    run(Spec("tables", (f"repose.tables.{medium}",), params), inputs, out)


@pytest.fixture
def results(tmp_path):
    (tmp_path / "results").mkdir()
    tabulate(all_runs(tmp_path / "results"), tmp_path / "results" / "table4.csv")
    return tmp_path / "results"


def test_scores_of_renders_stand_beside_the_scores(results):
    table = pd.read_csv(results / "table4.csv").set_index("method")
    assert table.protocol.tolist() == ["one-source", "one-source", "own-body"]
    assert table.render_fid.tolist() == [2.5, 2.5, 5] and table.pmd_e4["npr"] == 2000
    assert table.coverage["rest-pose"] == 0.3 and table.bodies["rest-pose"] == 1 and table.pairs["npr"] == 1


def test_a_table_without_a_scorer_reads_the_scores_alone(results):
    inputs = all_runs(results)
    tabulate({n: p for n, p in inputs.items() if not n.startswith("render")}, results / "table5.csv")
    table = pd.read_csv(results / "table5.csv")
    assert table.render_fid.isna().all() and table.pmd_e4.notna().sum() == 2
    assert not any("render-scorer" in node.place for node in audit(results / "table5.csv").nodes)


def test_pictures_of_other_predictions_are_refused(results):
    inputs = all_runs(results)
    older = make(results / "older.txt", "older", "predict", describe={"parameters": 0})
    seen = pd.read_parquet(results / RENDERS)
    make(results / RENDERS, seen, "score-renders", [("predictions", older), ("scorer", results / SCORER)])
    with pytest.raises(ReposeError, match="npr/seed0.*: was made from another predictions"):
        tabulate(inputs, results / "table4.csv")


def test_an_audit_walks_into_the_scores_of_renders_and_to_their_scorer(results):
    cell = {"method": "npr"}
    found = audit(results / "table4.csv", cell)
    assert found.faults == [] and found.rows[0].cells["render_fid"] == "2.5"
    places = {node.place for node in found.nodes}
    assert {manifest_path(Path(p)).as_posix() for p in (RENDERS, SCORER)} <= places
    seen = pd.read_parquet(results / RENDERS)
    seen["value"] *= 2
    seen.to_parquet(results / RENDERS, index=False)
    faults = [what for _, what in audit(results / "table4.csv").faults]
    assert "seed0.parquet does not match its manifest" in faults
    parents = load(manifest_path(results / RENDERS)).parents
    recorder = Recorder("score-renders", "code", {"medium": "meshes"}, modules=["repose.errors"])
    for name, parent in parents.items():
        recorder.uses(name, parent)
    recorder.seal(manifest_path(results / RENDERS), [results / RENDERS])
    faults = [what for _, what in audit(results / "table4.csv", cell).faults]
    place = "render-scores/open-human/npr/seed0.manifest.json"
    assert f"was made from another render-scores:open-human/npr/seed0 than {place}" in faults
    assert "open-human npr one-source: render_fid is 2.5, its scores give 5.0" in faults


def resealed(manifest):
    """Put an artefact under a new manifest, as somebody does who has changed it."""
    old = load(manifest)
    recorder = Recorder("tables", old.history["code"], old.history["params"], modules=["repose.errors"])
    for parent in old.parents.items():
        recorder.uses(*parent)
    recorder.seal(manifest, [manifest.parent / name for name in old.content["files"]])


@pytest.mark.parametrize("name", ["table4.md", "table4.tex"])
def test_a_twin_that_says_something_else_is_found_also_under_a_new_manifest(results, name):
    twin, manifest = results / name, manifest_path(results / "table4.csv")
    assert "npr" in twin.read_text() and audit(results / "table4.csv").faults == []
    twin.write_text(twin.read_text().replace("npr", "ours", 1))
    resealed(manifest)
    faults = audit(results / "table4.csv").faults
    assert faults == [("table4.manifest.json", f"{name} does not say what its scores give")]


def test_a_prediction_costs_its_share_of_the_seconds_of_its_stage(results):
    parts = transfers(results, "rotations")
    (path,) = (path for name, path in parts.items() if name.startswith("predictions:"))
    history = load(manifest_path(path)).history
    tabulate(parts, results / "table1.csv", "meshes", ["unseen"])
    (row,) = pd.read_csv(results / "table1.csv").to_dict("records")
    # Two triples were predicted, of which the table has one.
    assert row["predict_seconds"] == round(history["seconds"] / 2, 4) and row["pairs"] == 1
    assert row["predict_memory_mib"] == round(history["peak_memory_mib"])
    other = shutil.copytree(results, results.parent / "other")
    changed = pd.read_csv(other / "table1.csv").assign(predict_seconds=9, predict_memory_mib=9)
    changed.to_csv(other / "table1.csv", index=False)
    resealed(manifest_path(other / "table1.csv"))
    assert compare(results, other).numbers == [], "costs are compared with nothing"
    assert any("predict_seconds is 9" in what for _, what in audit(other / "table1.csv").faults)


def test_a_crate_carries_the_scores_of_renders(results, tmp_path):
    write_crate(audit(results / "table4.csv"), ROOT, tmp_path / "crate")
    assert (tmp_path / "crate" / "results" / RENDERS).is_file()
    assert not (tmp_path / "crate" / "results" / SCORER).exists()


def test_another_training_of_the_scorer_is_named_as_the_cause(results, tmp_path):
    other = shutil.copytree(results, tmp_path / "other")
    inputs = all_runs(other, steps=20)
    for name, path in inputs.items():
        if name.startswith("render-scores:"):
            seen, predictions = pd.read_parquet(path), inputs[name.replace("render-scores:", "predictions:")]
            params = load(manifest_path(path)).history["params"]
            parents = [("predictions", predictions), ("scorer", other / SCORER)]
            make(path, seen.assign(value=seen.value + 1), "score-renders", parents, params)
    tabulate(inputs, other / "table4.csv")
    found = compare(results, other)
    assert {number.column for number in found.numbers} == {"render_fid"} and len(found.numbers) == 3
    assert all(number.better is False for number in found.numbers), "a larger distance is worse"
    for number in found.numbers:
        assert [(cause.what, cause.a, cause.b) for cause in number.causes] == [("params.steps", "10", "20")]


def image_runs(results, metric="ssim_u7"):
    mark(results)
    inputs = {}
    for method, value in (("copy-source", 0.2), ("flow", 0.5), ("flow-full", 0.6)):
        place = f"open-fashion/{method}/seed0"
        scores = rows(PAIR, ("unseen", "a", "b", metric, value), ("unseen", "a", "c", metric, value))
        inputs[f"predictions:{place}"] = predicted(results, place)
        path, parents = results / f"scores/{place}.parquet", [("predictions", inputs[f"predictions:{place}"])]
        inputs[f"scores:{place}"] = make(path, scores, "score", parents)
    return inputs


def test_a_gain_stands_on_the_first_method_too(tmp_path):
    tabulate(image_runs(tmp_path), tmp_path / "table2.csv", "images", ["unseen"])
    found = audit(tmp_path / "table2.csv", {"method": "flow-full"})
    assert found.faults == [] and found.rows[0].cells["ssim_u7_gain"] == "0.4"
    methods = {branch.split("/")[1] for branch in found.rows[0].branches}
    assert methods == {"copy-source", "flow-full"}


def test_scores_of_an_unknown_metric_are_refused_in_one_line_and_nothing_is_written(tmp_path):
    with pytest.raises(ReposeError) as refused:
        tabulate(image_runs(tmp_path, "sharpness"), tmp_path / "table2.csv", "images", ["unseen"])
    assert str(refused.value) == (
        "open-fashion/copy-source: the scores have metric 'sharpness', which the table does not know "
        "(hint: give it a row in repose.metrics, or score again)"
    )
    assert not list(tmp_path.glob("table2*"))


def test_a_metric_that_is_no_longer_known_is_a_fault_of_an_old_table(results, monkeypatch):
    from repose.tables import poses

    monkeypatch.setattr(poses, "METRICS", [m for m in poses.METRICS if m.name != "render_fid"])
    faults = audit(results / "table4.csv").faults
    assert [place for place, _ in faults] == ["table4.manifest.json"]
    assert "cannot be computed again from its scores" in faults[0][1] and "'render_fid'" in faults[0][1]


def test_a_column_that_only_one_table_has_is_told(results, tmp_path):
    other = shutil.copytree(results, tmp_path / "other")
    table = pd.read_csv(other / "table4.csv").drop(columns="coverage")
    table.to_csv(other / "table4.csv", index=False)
    resealed(manifest_path(other / "table4.csv"))
    (number,) = compare(results, other).numbers
    assert (number.column, number.a, number.b, number.better) == ("coverage", 0.3, None, None)
