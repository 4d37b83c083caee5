"""Tables across datasets: whose weights they are is in names, places, links and the page, and audits follow it."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from repose.cli import app
from repose.config.load import load_files
from repose.errors import ReposeError
from repose.predict.meshes import predict
from repose.predict.network import load_network
from repose.predict.read_meshes import transfers
from repose.provenance.manifest import load, manifest_path
from repose.reading import read_rows


def audited(path, *options):
    said = CliRunner().invoke(app, ["audit", str(path), "--json", *options]).stdout
    return json.loads(said[: said.rindex("}") + 1])


def test_rows_say_whose_weights_they_have_and_baselines_are_themselves(across):
    table = pd.read_csv(across.plan.results.table("across"))
    rows = list(zip(table.dataset, table.method, table.told, table.track, strict=True))
    assert rows == [
        ("second", "copy-identity", "inputs", "P"),
        ("second", "copy-pose", "registration", "PC"),
        ("second", "npt@first", "truth", "P"),
        ("first", "copy-identity", "inputs", "P"),
        ("first", "copy-pose", "registration", "PC"),
        ("first", "npt", "truth", "P"),
    ]
    assert table.pmd_e4.gt(0).all() and table.run_ids[2] == table.run_ids[5] and table.train_seconds[2] > 0
    page = across.plan.results.table("across").with_suffix(".md").read_text()
    assert "`npt@first`: the weights are those that the method learned on the dataset after the @." in page


def test_predictions_follow_from_the_weights_of_the_other_dataset(across):
    plan = across.plan
    place = plan.results.predictions("second", "npt@first", 0)
    assert load(manifest_path(place)).history["inputs"].keys() == {"store", "unseen", "run"}
    triples = read_rows(plan.results.split("second", "unseen"))
    method = plan.config.methods["npt"]
    network = load_network(method, plan.results.run("first", "npt", 0))
    again = across.folder / "again.zarr"
    predict(method, network, plan.packed("second"), {"unseen": triples}, "cpu", again, "")
    stored = transfers(place, "unseen", triples)
    assert stored.shape == (8, 62, 3) and np.array_equal(stored, transfers(again, "unseen", triples))
    shutil.rmtree(again)


def test_an_audit_holds_and_follows_one_row_to_the_training(across):
    table = across.plan.results.table("across")
    assert audited(table, "--rescore")["holds"]
    found = json.dumps(audited(table, "--cell", "dataset=second,method=npt@first"))
    assert "runs/first/npt/seed0" in found and "predictions/second/npt@first/seed0" in found


def test_the_pages_tell_the_two_runs_of_one_method_apart(across, tmp_path):
    folder = shutil.copytree(across.folder, tmp_path / "copy")
    where = ["--config", str(folder / "config.yaml"), "--results", str(folder / "results")]
    done = CliRunner().invoke(app, ["site", *where])
    assert done.exit_code == 0, done.exception
    names = [path.name for path in (folder / "results" / "site" / "methods").iterdir()]
    assert any(name.startswith("npt-first-") for name in names) and "npt.html" in names


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("copy-pose@first", "copy-pose learns nothing that it could bring from first"),
        ("npt@second", "npt learns on second anyway"),
        ("npt@third", "no dataset named 'third'"),
        ("nxt@first", "no method named 'nxt'"),
    ],
)
def test_weights_that_there_are_not_are_refused_in_one_line(across, method, said):
    with pytest.raises(ReposeError, match=said):
        across.repose("predict", "second", method)
    assert not across.plan.results.predictions("second", method, 0).exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("trained_on: first", "trained_on: frist"),
        ("methods: [copy-identity, copy-pose, npt]", "methods: [real]"),
    ],
)
def test_a_table_across_needs_meshes_to_learn_from(across, tmp_path, change, said):
    text = (across.folder / "config.yaml").read_text().replace(change, said)
    text = text.replace("methods:\n", "methods:\n  real: {architecture: copy-image, image: target}\n")
    (tmp_path / "config.yaml").write_text(text)
    expected = "did you mean 'first'" if "frist" in said else "is of meshes, 'real' of images"
    with pytest.raises(ReposeError, match=expected):
        load_files(tmp_path / "config.yaml")
