"""Weights are packed with a card that says where they come from and what they scored."""

import json

import pandas as pd
import pytest
import torch
from pydantic import TypeAdapter
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from repose.config.models import Method
from repose.errors import ReposeError
from repose.methods.build import build
from repose.provenance.manifest import Recorder, load, manifest_path
from repose.weights.model import open_model
from repose.weights.pack import pack
from repose.weights.shipped import CARD


@pytest.fixture
def results(tmp_path):
    """A results folder with one training and a table."""
    settings = {
        "architecture": "canonical",
        "width": 8,
        "blocks": 1,
        "vibrations": 16,
        "training": {"steps": 3},
    }
    method = TypeAdapter(Method).validate_python(settings)
    weights = tmp_path / "runs" / "open-human" / "mine" / "seed0" / "model.safetensors"
    weights.parent.mkdir(parents=True)
    torch.manual_seed(0)
    save_file(build(method).state_dict(), weights)
    summary = weights.with_name("run.json")
    summary.write_text(json.dumps({"method": method.model_dump(mode="json"), "seed": 0, "best_step": 2}))
    Recorder("train", "0", {}).seal(manifest_path(weights), [weights, summary])
    catalog = tmp_path / "data" / "open-human" / "catalog.parquet"
    catalog.parent.mkdir(parents=True)
    pd.DataFrame({"source": ["Anny"], "licence": ["CC0-1.0"]}).to_parquet(catalog)
    rows = [["open-human", "mine-icp", "unseen", 9.5, 0.04], ["open-human", "npt", "unseen", 99.0, 0.3]]
    table = pd.DataFrame(rows, columns=["dataset", "method", "protocol", "pmd_e4", "edge_error"])
    table.to_csv(tmp_path / "table.csv", index=False)
    return tmp_path, weights.parent


def test_a_packed_model_is_the_run_in_half_precision_with_its_card(results):
    root, run = results
    card = pack(run, root / "table.csv", root / "human.safetensors")
    packed = load_file(root / "human.safetensors")
    for name, value in load_file(run / "model.safetensors").items():
        assert packed[name].dtype == torch.float16 and torch.allclose(
            packed[name].float(), value, rtol=1e-3, atol=1e-6
        )
    opened = open_model(root / "human.safetensors")
    assert opened.settings == open_model(run).settings
    with safe_open(root / "human.safetensors", "pt") as file:
        assert json.loads(file.metadata()[CARD]) == card
    assert card["scores"] == {"mine-icp unseen": {"pmd_e4": 9.5, "edge_error": 0.04}}
    assert (card["trained_on"], card["licence"]) == ("open-human: Anny", "CC0-1.0")
    assert card["digest"] == load(manifest_path(run / "model.safetensors")).digest


def test_weights_that_half_precision_cannot_hold_are_refused(results):
    root, run = results
    tensors = load_file(run / "model.safetensors")
    tensors["placing.first.bias"] += 1e6
    save_file(tensors, run / "model.safetensors")
    Recorder("train", "0", {}).seal(manifest_path(run / "model.safetensors"), [run / "model.safetensors"])
    with pytest.raises(ReposeError, match=r"placing\.first\.bias has values beyond half precision"):
        pack(run, root / "table.csv", root / "human.safetensors")
    assert not (root / "human.safetensors").exists()


def test_a_table_without_the_method_is_refused(results):
    root, run = results
    (root / "other.csv").write_text("dataset,method,protocol,pmd_e4,edge_error\nopen-human,npt,unseen,1,1\n")
    (root / "body.csv").write_text("v 0 0 0\nv 1 0 0\n"), (root / "empty.csv").touch()
    for table, what in (
        ("other", "no row of mine on open-human"),
        ("body", "body.csv: the table has no column 'dataset'"),
        ("empty", "empty.csv: not a table"),
        ("none", "none.csv: no such file"),
    ):
        with pytest.raises(ReposeError, match=what):
            pack(run, root / f"{table}.csv", root / "human.safetensors")
    with pytest.raises(ReposeError, match="the output is a .safetensors file"):
        pack(run, root / "table.csv", root / "human.txt")
