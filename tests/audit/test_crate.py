import json
import platform
import re
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest
import rocrate
from rocrate_validator import models, services
from rocrate_validator.utils.http import HttpRequester
from typer.testing import CliRunner

from repose.audit.audit import audit
from repose.audit.crate import project_of, write_crate
from repose.cli import app
from repose.errors import ReposeError
from repose.provenance.manifest import Recorder, manifest_path

ROOT = Path(__file__).parents[2]
HOST = "node17.cluster.example"


@pytest.fixture
def results(tmp_path, monkeypatch):
    """raw → catalogue → weights → table, made on a machine with a name, from a place with a path."""
    monkeypatch.setattr(platform, "node", lambda: HOST)
    made = tmp_path / "results"

    def make(stage, path, write, params=None, seed=None, inputs=()):
        out = made / path
        out.parent.mkdir(parents=True, exist_ok=True)
        write(out)
        recorder = Recorder(stage, "c0de" * 4, params or {}, seed)
        for name, parent in inputs:
            recorder.uses(name, manifest_path(made / parent))
        recorder.seal(manifest_path(out), [out], {"licence": "research only"} if stage == "raw" else {})

    def folder(out):
        (out / "c").mkdir(parents=True)
        (out / "c" / "0").write_bytes(b"0" * 100)

    local = {"path": "/home/someone/faust", "api_token": "s3cr3t", "deep": {"list": ["~/x"]}, "vertices": 10}
    make("raw", "data/a/raw.npz", lambda p: p.write_bytes(b"raw"), local)
    rows = pd.DataFrame({"mesh_id": ["id0_0"], "licence": ["CC0-1.0"]})
    make("convert", "data/a/catalog.parquet", rows.to_parquet, inputs=[("raw", "data/a/raw.npz")])
    make("store", "data/a/meshes.zarr", folder, inputs=[("catalog", "data/a/catalog.parquet")])
    store = [("store", "data/a/meshes.zarr")]
    make("train", "runs/a/npt/seed3/model.safetensors", lambda p: p.write_bytes(b"w" * 9), {}, 3, store)
    inputs = [("run:a/npt/seed3", "runs/a/npt/seed3/model.safetensors")]
    make("tables", "table1.md", lambda p: p.write_text("| a |\n"), inputs=inputs)
    return made


@pytest.fixture
def crate(results, tmp_path):
    write_crate(audit(results / "table1.md"), ROOT, tmp_path / "crate")
    return tmp_path / "crate"


@pytest.fixture
def validated(monkeypatch, tmp_path):
    """Messages of the validator about a crate. The JSON-LD contexts come from here, nothing from the network."""
    bundled = Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld"
    bio, run = "https://bioschemas.org/", "https://w3id.org/ro/terms/workflow-run#"
    terms = {
        # The bundled context is that of RO-Crate 1.3, which names Bioschemas terms otherwise than 1.1.
        key: value.replace(bio + "terms/", bio) if isinstance(value, str) else value
        for key, value in json.loads(bundled.read_text())["@context"].items()
    }
    terms |= {name: f"{bio}ComputationalWorkflow#{name}" for name in ("input", "output")}
    contexts = {
        "https://w3id.org/ro/crate/1.1/context": terms,
        "https://w3id.org/ro/terms/workflow-run/context": {
            name: run + name for name in ("environment", "resourceUsage")
        },
    }

    class Answer:
        status_code = 200
        headers: ClassVar = {"Content-Type": "application/ld+json"}

        def __init__(self, url):
            self.text = json.dumps({"@context": contexts[url]})

        def json(self):
            return json.loads(self.text)

    for method in ("get", "fetch_fresh", "head"):
        monkeypatch.setattr(HttpRequester, method, lambda self, url, **options: Answer(url), raising=False)

    def validate(folder):
        settings = services.ValidationSettings(
            rocrate_uri=str(folder),
            profile_identifier="provenance-run-crate",
            requirement_severity=models.Severity.REQUIRED,
            offline=True,
            cache_path=tmp_path / "http",
        )
        return [issue.message for issue in services.validate(settings).get_issues()]

    return validate


def graph(crate):
    entities = json.loads((crate / "ro-crate-metadata.json").read_text())["@graph"]
    return {entity["@id"]: entity for entity in entities}


def test_the_crate_is_a_valid_provenance_run_crate(crate, validated):
    assert validated(crate) == []
    metadata = crate / "ro-crate-metadata.json"
    whole = json.loads(metadata.read_text())
    whole["@graph"] = [e for e in whole["@graph"] if e["@type"] != "OrganizeAction"]
    for entity in whole["@graph"]:
        if entity["@id"] == "#make-table1":
            del entity["instrument"]
    metadata.write_text(json.dumps(whole))
    assert any("instrument" in message for message in validated(crate)), "the validator sees a fault"


def test_sizes_hashes_licences_software_and_machine_are_in_it(crate):
    entities = graph(crate)
    weights = entities["#results/runs/a/npt/seed3/model.safetensors"]
    assert weights["contentSize"] == "9" and len(weights["sha256"]) == 64
    assert entities["results/table1.md"]["encodingFormat"] == "text/markdown"
    catalog = entities["#results/data/a/catalog.parquet"]
    assert catalog["license"] == {"@id": "https://spdx.org/licenses/CC0-1.0"}
    raw = entities["#results/data/a/raw.npz"]
    assert entities[raw["license"]["@id"]]["name"] == "research only"
    action = entities["#make-runs/a/npt/seed3/model"]
    assert {"@id": "#results/data/a/meshes.zarr"} in action["object"]
    around = {entities[e["@id"]]["name"]: entities[e["@id"]]["value"] for e in action["environment"]}
    assert around["python"] == platform.python_version() and around["cpus"] and "torch" in around
    settings = {entities[e["@id"]].get("name"): entities[e["@id"]].get("value") for e in action["object"]}
    assert settings["seed"] == "3" and settings["code"] == "c0de" * 4
    assert (crate / "results" / "table1.md").exists() and (
        crate / "workflow" / "rules" / "train.smk"
    ).exists()
    assert not (crate / "results" / "data" / "a" / "meshes.zarr").exists(), "bodies are not carried"


def test_no_secret_no_path_and_no_host_name_is_in_it(crate, tmp_path):
    values = {e.get("name"): e.get("value") for e in graph(crate).values()}
    assert values["vertices"] == "10"
    private = re.compile(
        rf"{HOST}|someone|s3cr3t|~/x|{re.escape(str(tmp_path))}|{re.escape(str(ROOT))}|/home/"
    )
    for file in crate.rglob("*"):
        if file.is_file():
            assert not private.search(file.read_bytes().decode("latin-1")), file


def test_a_tree_that_does_not_hold_makes_no_crate(results, tmp_path):
    (results / "data" / "a" / "raw.npz").write_bytes(b"Raw")
    with pytest.raises(ReposeError, match="does not hold"):
        write_crate(audit(results / "table1.md"), ROOT, tmp_path / "crate")
    assert not (tmp_path / "crate").exists()


def test_a_project_inside_a_checkout_has_the_workflow_of_that(results, tmp_path, monkeypatch):
    with pytest.raises(ReposeError, match=r"no Snakefile of repose here.*run this from the checkout"):
        project_of(tmp_path)
    (tmp_path / "workflow" / "rules").mkdir(parents=True)
    (tmp_path / "Snakefile").write_text("rule all: ...")
    (tmp_path / "first").mkdir()
    monkeypatch.chdir(tmp_path / "first")
    command = ["audit", str(results / "table1.md"), "--rocrate", "crate"]
    assert CliRunner().invoke(app, command, catch_exceptions=False).exit_code == 0
    assert (tmp_path / "first" / "crate" / "Snakefile").read_text() == "rule all: ..."
