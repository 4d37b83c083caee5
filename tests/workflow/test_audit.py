"""`repose audit` on a finished run: it holds, and whatever a careless hand does to it is found."""

import io
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import zarr
from rich.console import Console
from typer.testing import CliRunner

from repose.audit import audit as auditing
from repose.audit.audit import audit, parse_cell
from repose.audit.show import as_json, show
from repose.cli import app
from repose.errors import ReposeError
from repose.provenance.manifest import Recorder, _canonical, _digest, history_path, load, manifest_path
from repose.score import stage as scoring
from repose.store.mesh_store import MeshStore
from repose.tables import meshes as tables
from repose.tables.stage import derive, twins

RUN = ("model.safetensors", "history.parquet", "run.json", "model.manifest.json", "model.history.json")


@pytest.fixture
def results(smoke, tmp_path):
    """A copy of the results of a finished run, moved to another place."""
    return shutil.copytree(smoke.folder / "results", tmp_path / "moved" / "outcome")


@pytest.fixture
def derived_once(monkeypatch):
    """From equal files a table is derived once: most of what many audits damage is none that a table is read from."""
    known = {}

    def of_equal_files(table, names):
        parents = list(table.parents.values())
        scores = [path.with_name(path.name.replace(".manifest.json", ".parquet")) for path in parents]
        read = [*parents, *map(history_path, parents), *(path for path in scores if "scores" in str(path))]
        if not all(path.is_file() for path in read):
            return derive(table, names)
        key = (table.digest, *names, *(path.read_bytes() for path in read))
        if key not in known:
            known[key] = derive(table, names)
        return known[key]

    monkeypatch.setattr(auditing, "derive", of_equal_files)


def faults(results, **options):
    return audit(results / "table1.csv", **options).faults


def table_files(results):
    return [results / f"table1.{end}" for end in ("csv", "md", "tex")]


def of_every_stage(results):
    """The first and the last artefact of each stage behind the table: all of a stage go the same way."""
    stages = {}
    for node in audit(results / "table1.csv").nodes:
        stages.setdefault(node.manifest.content["stage"], []).append(node)
    assert len(stages) >= 9
    return [node for nodes in stages.values() for node in nodes[:1] + nodes[1:][-1:]]


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


def forge(manifest, change):
    """What someone does who knows that a history has a digest of itself: `change` the two files, and sign them anew."""
    content, history = (json.loads(path.read_text()) for path in (manifest, history_path(manifest)))
    change(content, history)
    history["content"] = _digest(content)
    history["sha256"] = _digest({k: v for k, v in history.items() if k != "sha256"})
    manifest.write_text(_canonical(content))
    history_path(manifest).write_text(_canonical(history))


def table_anew(results):
    """The table that the scores give now, under a manifest made anew."""
    csv, manifest = results / "table1.csv", results / "table1.manifest.json"
    runs = load(manifest).history["params"]["runs"]
    table = derive(load(manifest), [f"scores:{run}" for run in runs])
    table.to_csv(csv, index=False)
    for suffix, text in twins("meshes", table).items():
        csv.with_suffix(suffix).write_text(text)
    reseal(manifest, table_files(results))


def test_a_finished_run_holds_wherever_it_lies(results):
    found = audit(results / "table1.csv", rescore=True)
    assert found.faults == [] and found.notes == []
    stages = {node.manifest.content["stage"] for node in found.nodes}
    assert stages >= {"tables", "score", "predict", "train", "split", "store", "convert", "raw"}
    table = pd.read_csv(results / "table1.csv")
    assert len(found.rows) == len(table) and all(row.branches for row in found.rows)


def test_a_flipped_byte_in_an_artefact_of_any_stage_is_found(results, derived_once):
    tried = 0
    for node in of_every_stage(results):
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
    reseal(results / "table1.manifest.json", table_files(results))
    ((place, what),) = faults(results)
    assert place == "table1.manifest.json" and "pmd_e4 is" in what and f"its scores give {number}" in what


@pytest.mark.parametrize(
    "change",
    {
        "a row deleted": lambda t: t.drop(index=2),
        "a row doubled": lambda t: t.iloc[[0, 1, 2, 2, *range(3, len(t))]],
        "a column deleted": lambda t: t.drop(columns="cd_e4"),
        "a column doubled": lambda t: pd.concat([t, t[["pmd_e4"]]], axis=1),
        "rows in another order": lambda t: t.iloc[::-1],
    }.items(),
    ids=lambda change: change[0],
)
def test_a_table_that_is_not_whole_is_found_also_under_a_new_manifest(results, change):
    csv = results / "table1.csv"
    table = change[1](pd.read_csv(csv, dtype=str, keep_default_na=False))
    table.to_csv(csv, index=False)
    reseal(results / "table1.manifest.json", table_files(results))
    found = faults(results)
    assert {place for place, _ in found} == {"table1.manifest.json"}
    assert any(re.match("has (not the rows|other columns)", what) for _, what in found)


def test_a_table_without_all_the_runs_it_says_is_found(results):
    csv = results / "table1.csv"
    table = pd.read_csv(csv, dtype=str, keep_default_na=False)

    def change(content, history):
        for part in ("inputs", "parents", "histories"):
            history[part] = {name: value for name, value in history[part].items() if "/npt/" not in name}

    table[table.method != "npt"].to_csv(csv, index=False)
    reseal(results / "table1.manifest.json", table_files(results))
    forge(results / "table1.manifest.json", change)
    assert any(
        re.match("is not made of the runs it says: .*/npt/.* missing", what) for _, what in faults(results)
    )


@pytest.mark.parametrize("name", ["table1.md", "table1.tex"])
def test_an_edited_number_of_a_twin_is_found_also_under_a_new_manifest(results, name):
    twin = results / name
    number = re.search(r"\d{3,}\.\d", twin.read_text())[0]
    edit(twin, number, f"0{number}")
    reseal(results / "table1.manifest.json", table_files(results))
    assert faults(results) == [("table1.manifest.json", f"{name} does not say what its scores give")]


def test_published_numbers_edited_in_the_package_are_found(results, monkeypatch):
    """The table's own numbers stand in the CSV, and are compared with those of the package that audits."""
    other = {("open-human", "npt", "unseen"): {"reported_pmd_e4": 0.001, "reported_source": "a paper"}}
    monkeypatch.setattr(tables, "_reported", lambda: other)
    ((place, what), *_) = faults(results)
    assert place == "table1.manifest.json" and "reported_pmd_e4 is empty, its scores give 0.001" in what


def test_runs_of_one_method_that_are_tabled_as_another_s_are_found(results):
    for kind in ("runs", "predictions", "scores"):
        shutil.copytree(results / kind / "open-human" / "npt", results / kind / "open-human" / "npt2")

    def change(content, history):
        for part in ("inputs", "parents", "histories", "params"):
            history[part] = json.loads(
                json.dumps(history[part]).replace("open-human/npt/", "open-human/npt2/")
            )

    for name in ("table1.csv", "table1.md", "table1.tex"):
        text = (results / name).read_text()
        (results / name).write_text(
            text.replace("open-human,npt,", "open-human,npt2,")
            .replace("| npt |", "| npt2 |")
            .replace("& npt &", "& npt2 &")
        )
    reseal(results / "table1.manifest.json", table_files(results))
    forge(results / "table1.manifest.json", change)
    found = faults(results)
    place = "scores/open-human/npt"
    assert (f"{place}2/seed0.manifest.json", f"is {place}/seed0, and lies at {place}2/seed0") in found
    assert ("table1.manifest.json", f"takes {place}/seed0 for {place}2/seed0") in found


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("seconds", 1e6),  # a second is what a small training may take
        ("peak_memory_mib", 1.0),
        ("started", "2020-01-01T00:00:00Z"),
        ("machine", {"host": "another"}),
        ("software", {"torch": "0.1"}),
        ("seed", 7),
        ("code", "c0de"),
        ("params", {"method": {"steps": 10**6}}),
    ],
)
def test_a_history_that_was_edited_and_signed_anew_is_found_by_what_was_made_of_it(results, what, value):
    forge(
        results / "runs" / "open-human" / "npt" / "seed0" / "model.manifest.json",
        lambda content, history: history.update({what: value}),
    )
    found = audit(results / "table1.csv", parse_cell("method=npt,dataset=open-human")).faults
    assert any("seed0" in place and "another history" in fault for place, fault in found)


def test_truths_in_the_place_of_predictions_are_found_by_predicting_again(results):
    predictions = results / "predictions" / "open-human" / "npt" / "seed0.zarr"
    store = MeshStore(results / "data" / "open-human" / "meshes.zarr")
    for protocol in ("unseen", "seen-pose"):
        group = zarr.open_group(predictions / protocol, mode="r+")
        truths = [store.index_of(truth) for _, _, truth in group.attrs["triples"]]
        group["vertices"][:] = store.vertices(np.array(truths))
    reseal(manifest_path(predictions), [predictions])
    scores = results / "scores" / "open-human" / "npt" / "seed0.parquet"
    inputs = {
        n: m.parent / f"{m.name.split('.')[0]}.parquet"
        for n, m in load(manifest_path(scores)).parents.items()
    }
    splits = {name: path for name, path in inputs.items() if name not in ("predictions", "store")}
    scoring.run(predictions, store.path, splits, scores)
    table_anew(results)
    assert faults(results) == [], "every link holds"
    cell = parse_cell("method=npt,dataset=open-human")
    found = audit(results / "table1.csv", cell, rescore=True).faults
    assert found and all("differs from what the method predicts" in what for _, what in found)


def named_otherwise(scores):
    """Better numbers, of a stage that no audit computes again."""
    rows = pd.read_parquet(scores)
    rows.assign(value=rows.value / 2).to_parquet(scores, index=False)
    reseal(manifest_path(scores), [scores])
    forge(manifest_path(scores), lambda content, history: content.update(stage="scored"))


def of_a_better_method(scores):
    """The scores of another method, with its predictions behind them."""
    shutil.copy(scores.parents[1] / "corenet" / "seed0.parquet", scores)
    place = "../../../predictions/open-human/corenet/seed0.manifest.json"
    forge(manifest_path(scores), lambda content, history: history["parents"].update(predictions=place))
    reseal(manifest_path(scores), [scores])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (named_otherwise, "says that stage 'scored' made it, not score"),
        (of_a_better_method, "which takes predictions/open-human/corenet/seed0 for its predictions"),
    ],
)
def test_scores_that_would_not_be_computed_again_are_found_though_every_link_holds(results, change, what):
    change(results / "scores" / "open-human" / "npt" / "seed0.parquet")
    table_anew(results)
    (found,) = faults(results, cell=parse_cell("method=npt,dataset=open-human"))
    assert what in found[1]


def test_links_and_planted_folders_in_a_store_are_found(results):
    store = results / "data" / "open-human" / "meshes.zarr"
    place = "data/open-human/meshes.manifest.json"
    (store / "vertices" / "planted").mkdir()
    assert (place, "meshes.zarr does not match its manifest") in faults(results)
    (store / "vertices" / "planted").rmdir()
    shutil.move(store / "faces", results / "elsewhere")
    (store / "faces").symlink_to(results / "elsewhere")
    assert (place, "an artefact holds no links") in faults(results)


def test_an_artefact_that_says_it_is_made_from_itself_is_a_fault(results):
    manifest = results / "data" / "open-human" / "meshes.manifest.json"
    forge(manifest, lambda content, history: history["parents"].update(catalog="meshes.manifest.json"))
    found = audit(results / "table1.csv")
    assert any("made from itself" in what for _, what in found.faults) and found.root.depth < 20


@pytest.mark.parametrize("value", [None, [], {}, [[1]], "x", "\ud800", 2**70, {"a": {}}])
@pytest.mark.parametrize("part", ["inputs", "parents", "histories", "params", "code", "modules", "former"])
def test_a_manifest_that_says_anything_under_its_digests_is_a_fault_and_no_traceback(tmp_path, part, value):
    csv = tmp_path / "table1.csv"
    csv.write_text("dataset,method,protocol\nd,m,unseen\n")
    recorder = Recorder("tables", "c0de", {"medium": "meshes", "runs": ["d/m/seed0"], "protocols": {}})
    recorder.seal(manifest_path(csv), [csv])
    forge(manifest_path(csv), lambda content, history: history.update({part: value}))
    found = audit(csv, rescore=True)
    assert found.faults and as_json(found) and found.digest
    show(found, Console(file=io.StringIO()))


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
def test_an_edited_manifest_or_history_is_found(results, derived_once, which):
    for node in of_every_stage(results):
        path = which(node.path)
        before = path.read_text()
        edit(path, '"stage": "' if which(node.path) == node.path else '"code": "', '"note": 1,\n "x": "')
        found = faults(results)
        assert any(place == node.place for place, _ in found), path
        path.write_text(before)


def test_a_deleted_artefact_manifest_or_history_is_found(results, derived_once):
    for node in of_every_stage(results)[1:]:
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
    recorder.seal(manifest, table_files(results), old.content["describe"])
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
    other = "0" if plain["digest"][0] != "0" else "1"
    assert invoke("--expect", other).exit_code == 1
    flip(project.folder / "results" / "data" / "open-human" / "raw.npz")
    done = project.repose("audit", "results/table1.csv", "--cell", "method=npt", check=False)
    assert done.returncode == 1 and "First broken link: data/open-human/raw.manifest.json" in done.stdout
    assert "Traceback" not in done.stdout
    assert invoke("--json").exit_code == 1
