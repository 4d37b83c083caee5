"""`repose compare` on a finished run and a copy in which one training was made otherwise."""

import copy
import json
import shutil

import pandas as pd
import pytest

from repose.audit.audit import audit
from repose.audit.compare import compare
from repose.config.load import load_files
from repose.errors import ReposeError
from repose.plan import Plan
from repose.provenance.manifest import Recorder, load, manifest_path
from repose.results import Results
from repose.tables.stage import run as make_table

PLACE = "open-human/npt/seed0"


def remake(manifest, params=None):
    old = load(manifest)
    wanted = old.history["params"] if params is None else params
    recorder = Recorder(
        old.content["stage"], old.history["code"], wanted, old.history["seed"], old.history["software"]
    )
    for name, parent in old.parents.items():
        recorder.uses(name, parent)
    files = [manifest.parent / name for name in old.content["files"]]
    recorder.seal(manifest, files, old.content["describe"])


def remake_table(config, results):
    need = Plan(config, Results(results)).tables("table1")
    make_table(need.spec, need.inputs, need.out)


@pytest.fixture
def other(smoke, tmp_path):
    """Results in which NPT's first seed had another learning rate, and so other weights and scores."""
    results = shutil.copytree(smoke.folder / "results", tmp_path / "other")
    model = results / "runs" / PLACE / "model.safetensors"
    with model.open("ab") as weights:
        weights.write(b"!")
    params = copy.deepcopy(load(manifest_path(model)).history["params"])
    params["method"]["training"]["learning_rate"] = 0.5
    remake(manifest_path(model), params)
    (results / "predictions" / f"{PLACE}.zarr" / "other").write_text("vertices")
    remake(results / "predictions" / f"{PLACE}.manifest.json")
    scores = results / "scores" / f"{PLACE}.parquet"
    rows = pd.read_parquet(scores)
    rows["value"] *= 2
    rows.to_parquet(scores, index=False)
    remake(manifest_path(scores))
    config = load_files(next((results / ".config").glob("*.yaml")))
    remake_table(config, results)
    assert audit(results / "table1.csv").faults == []
    return results


def test_a_changed_setting_is_named_with_what_it_did_to_each_number(smoke, other):
    found = compare(smoke.folder / "results", other)
    (difference,) = found.differences
    assert difference.artefact == f"runs/{PLACE}/model.manifest.json"
    assert difference.what == "params.method.training.learning_rate" and difference.b == "0.5"
    assert {number.row["method"] for number in found.numbers} == {"npt"}
    assert all(number.causes == [difference] for number in found.numbers)
    pmd = next(n for n in found.numbers if n.column == "pmd_e4" and n.row["protocol"] == "unseen")
    tables = [pd.read_csv(folder / "table1.csv") for folder in (smoke.folder / "results", other)]
    values = [t.pmd_e4[(t.method == "npt") & (t.protocol == "unseen")].item() for t in tables]
    assert [pmd.a, pmd.b] == values and pmd.b > pmd.a and found.alike > 0


def test_a_run_is_like_itself(smoke):
    found = compare(smoke.folder / "results", smoke.folder / "results")
    assert found.differences == [] and found.numbers == [] and found.alike > 50


def test_a_method_that_only_one_has_is_said(smoke, other):
    config = load_files(next((other / ".config").glob("*.yaml")))
    config.tables["table1"].methods.remove("copy-pose")
    remake_table(config, other)
    found = compare(smoke.folder / "results", other)
    assert any(d.what == "present" and "copy-pose" in d.artefact and d.b == "no" for d in found.differences)
    gone = [n for n in found.numbers if n.row["method"] == "copy-pose"]
    assert gone and all(n.b is None for n in gone)


def test_folders_without_a_common_table_are_refused(smoke, tmp_path):
    with pytest.raises(ReposeError, match="no table in common"):
        compare(smoke.folder / "results", tmp_path)


def test_the_command_prints_causes_and_changes(smoke, other):
    done = smoke.repose("compare", "results", str(other))
    assert (
        "learning_rate: 0.001 → 0.5" in done.stdout and "numbers differ" in done.stdout and "%" in done.stdout
    )
    plain = json.loads(smoke.repose("compare", "results", str(other), "--json").stdout)
    assert len(plain["differences"]) == 1 and plain["numbers"][0]["causes"]
