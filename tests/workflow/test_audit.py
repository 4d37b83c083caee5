"""`repose audit` on a finished run: it holds, and whatever a careless hand does to it is found."""

import json
import re
import shutil

import pandas as pd
import pytest
from typer.testing import CliRunner

from repose.audit import audit as auditing
from repose.audit.audit import audit, parse_cell
from repose.cli import app
from repose.errors import ReposeError
from repose.provenance.manifest import Recorder, history_path, load, manifest_path

RUN = ("model.safetensors", "history.parquet", "run.json", "model.manifest.json", "model.history.json")


@pytest.fixture
def results(smoke, tmp_path):
    """A copy of the results of a finished run, moved to another place."""
    return shutil.copytree(smoke.folder / "results", tmp_path / "moved" / "outcome")


def faults(results, **options):
    return audit(results / "table1.csv", **options).faults


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def reseal(manifest, files):
    """What someone does who believes that a manifest is a formality."""
    old = load(manifest)
    recorder = Recorder(old.content["stage"], old.history["code"], old.history["params"], old.history["seed"])
    for name, parent in old.parents.items():
        recorder.uses(name, parent)
    recorder.seal(manifest, files, old.content["describe"])


def test_a_finished_run_holds_wherever_it_lies(results):
    found = audit(results / "table1.csv", rescore=True)
    assert found.faults == [] and found.notes == []
    stages = {node.manifest.content["stage"] for node in found.nodes}
    assert stages >= {"tables", "score", "predict", "train", "split", "store", "convert", "raw"}
    table = pd.read_csv(results / "table1.csv")
    assert len(found.rows) == len(table) and all(row.branches for row in found.rows)


def test_a_flipped_byte_in_any_artefact_is_found(results):
    nodes = audit(results / "table1.csv").nodes
    tried = 0
    for node in nodes:
        for name in node.manifest.content["files"]:
            path = node.path.parent / name
            victim = next(p for p in [path, *sorted(path.rglob("*"))] if p.is_file() and p.stat().st_size)
            before = victim.read_bytes()
            flip(victim)
            assert (node.place, f"{name} does not match its manifest") in faults(results), victim
            victim.write_bytes(before)
            tried += 1
    assert tried > 20 and faults(results) == []


@pytest.mark.parametrize("names", [RUN[:1], RUN[:3], RUN])
def test_swapped_checkpoints_are_found(results, names):
    one, two = (results / "runs" / "open-human" / "npt" / f"seed{seed}" for seed in (0, 1))
    for name in names:
        shutil.move(one / name, results / "held")
        shutil.move(two / name, one / name)
        shutil.move(results / "held", two / name)
    found = faults(results)
    assert found and any("runs/open-human/npt" in f"{place} {what}" for place, what in found)


def test_an_artefact_replaced_with_its_manifest_by_that_of_another_seed_is_found(results):
    for kind, name, end in (
        ("predictions", "seed{}", ".zarr"),
        ("scores", "seed{}", ".parquet"),
        ("runs", "seed{}", ""),
    ):
        backup = shutil.copytree(results / kind, results / "backup")
        folder = results / kind / "open-human" / "npt"
        for suffix in (end, ".manifest.json", ".history.json") if end else ("",):
            target = folder / (name.format(0) + suffix)
            shutil.rmtree(target) if target.is_dir() else target.unlink()
            source = folder / (name.format(1) + suffix)
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
        assert any("was made from another" in what for _, what in faults(results)), kind
        shutil.rmtree(results / kind)
        backup.rename(results / kind)
    assert faults(results) == []


def test_an_edited_number_of_the_table_is_found_also_under_a_new_manifest(results):
    csv = results / "table1.csv"
    number = str(pd.read_csv(csv, dtype=str).pmd_e4[4])
    edit(csv, number, number[:-1] + str((int(number[-1]) + 5) % 10))
    assert ("table1.manifest.json", "table1.csv does not match its manifest") in faults(results)
    reseal(results / "table1.manifest.json", [csv, results / "table1.md"])
    ((place, what),) = faults(results)
    assert place == "table1.manifest.json" and "pmd_e4 is" in what and f"its scores give {number}" in what


def test_an_edited_score_is_found_also_under_new_manifests(results):
    parquet = results / "scores" / "open-human" / "npt" / "seed1.parquet"
    rows = pd.read_parquet(parquet)
    rows.loc[0, "value"] *= 0.9
    rows.to_parquet(parquet, index=False)
    assert any(what == "seed1.parquet does not match its manifest" for _, what in faults(results))
    reseal(manifest_path(parquet), [parquet])
    found = faults(results)
    assert any("was made from another scores:open-human/npt/seed1" in what for _, what in found)
    assert any("its scores give" in what for _, what in found)
    rescored = faults(results, rescore=True)
    assert any("scores differ from the predictions" in what for _, what in rescored)


def test_what_a_judge_said_is_computed_again_by_that_judge(results):
    def judged():
        return audit(results / "table2.csv", {"method": "flow-full"}, rescore=True)

    found = judged()
    assert found.faults == [] and "render_is" in found.rows[0].cells
    assert "runs/open-fashion/image-scorer/seed0/model.manifest.json" in {node.place for node in found.nodes}
    parquet = results / "scores" / "open-fashion" / "flow-full" / "seed0.parquet"
    for metric in ("render_is_nats", "masked_render_is_nats", "render_attr_recall_5"):
        rows = pd.read_parquet(parquet)
        rows.loc[(rows.metric == metric).idxmax(), "value"] += 0.01
        rows.to_parquet(parquet, index=False)
        reseal(manifest_path(parquet), [parquet])
        assert any("differ from the predictions: unseen" in what for _, what in judged().faults), metric


@pytest.mark.parametrize("which", [lambda m: m, history_path])
def test_an_edited_manifest_or_history_is_found(results, which):
    for node in audit(results / "table1.csv").nodes:
        path = which(node.path)
        before = path.read_text()
        edit(path, '"stage": "' if which(node.path) == node.path else '"code": "', '"note": 1,\n "x": "')
        found = faults(results)
        assert any(place == node.place for place, _ in found), path
        path.write_text(before)


def test_a_deleted_artefact_manifest_or_history_is_found(results):
    for node in audit(results / "table1.csv").nodes[1:]:
        for path in (
            node.path,
            history_path(node.path),
            node.path.parent / next(iter(node.manifest.content["files"])),
        ):
            held = results / "held"
            path.rename(held)
            assert any(place == node.place for place, _ in faults(results)), path
            held.rename(path)


def test_other_code_is_said_and_mixed_code_too(results, monkeypatch):
    monkeypatch.setattr(auditing, "code_hash", lambda *modules: "0000")
    found = audit(results / "table1.csv")
    assert found.faults == [] and any(
        re.match(r"train: \d+ made by other code than what is installed", note) for note in found.notes
    )
    manifest = results / "scores" / "open-human" / "npt" / "seed1.manifest.json"
    old = load(manifest)
    recorder = Recorder("score", "another", {}, None)
    for name, parent in old.parents.items():
        recorder.uses(name, parent)
    recorder.seal(manifest, [manifest.parent / "seed1.parquet"], old.content["describe"])
    notes = audit(results / "table1.csv").notes
    assert any("npt/seed*" in note and "2 versions of the code" in note for note in notes)


def test_a_cell_narrows_the_audit(results):
    flip(results / "runs" / "open-human" / "npt" / "seed0" / "model.safetensors")
    assert faults(results, cell=parse_cell("method=npt,dataset=open-human"))
    found = audit(results / "table1.csv", parse_cell("method=corenet,protocol=unseen"))
    assert found.faults == [] and [row.key["protocol"] for row in found.rows] == ["unseen"]
    assert not any("npt" in node.place for node in found.nodes)
    for wrong in ("method", "methd=npt", "method=nobody"):
        with pytest.raises(ReposeError, match="method"):
            audit(results / "table1.csv", parse_cell(wrong))


def test_the_noted_digest_of_the_tree_finds_a_consistent_forgery(results):
    before = audit(results / "table1.csv").digest
    manifest = results / "table1.manifest.json"
    old = load(manifest)
    recorder = Recorder("tables", "forged", old.history["params"], old.history["seed"])
    for name, parent in old.parents.items():
        recorder.uses(name, parent)
    recorder.seal(manifest, [results / "table1.csv", results / "table1.md"], old.content["describe"])
    found = audit(results / "table1.csv")
    assert found.faults == [] and found.digest != before


def test_the_command_prints_a_tree_a_verdict_and_a_status(project, monkeypatch):
    def invoke(*options):
        return CliRunner().invoke(app, ["audit", "results/table1.csv", *options])

    monkeypatch.chdir(project.folder)
    done = project.repose("audit", "results/table1.csv")
    assert (
        "Holds." in done.stdout and "data/open-human/raw" in done.stdout and "Computed again" in done.stdout
    )
    plain = json.loads(invoke("--json").stdout)
    assert plain["holds"] and plain["digest"] in done.stdout
    assert invoke("--expect", plain["digest"], "--rocrate", "crate").exit_code == 0
    assert (project.folder / "crate" / "results" / "table1.csv").exists()
    assert invoke("--expect", "0").exit_code == 1
    flip(project.folder / "results" / "data" / "open-human" / "raw.npz")
    done = project.repose("audit", "results/table1.csv", "--cell", "method=npt", check=False)
    assert done.returncode == 1 and "First broken link: data/open-human/raw.manifest.json" in done.stdout
    assert "Traceback" not in done.stdout
    assert invoke("--json").exit_code == 1
