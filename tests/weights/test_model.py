"""Opening a model by its path: the folder of a run, its file, and what is refused."""

import json

import pytest
import torch
from pydantic import TypeAdapter
from safetensors.torch import save_file

from repose.config.models import Method
from repose.errors import ReposeError
from repose.methods.build import build
from repose.provenance.manifest import Recorder, manifest_path
from repose.weights.model import open_model

SETTINGS = {"architecture": "npt", "width": 8, "pooling": "none", "training": {"steps": 3}}


@pytest.fixture
def folder(tmp_path):
    """What stage `train` leaves behind."""
    method = TypeAdapter(Method).validate_python(SETTINGS)
    torch.manual_seed(0)
    weights = tmp_path / "seed0" / "model.safetensors"
    weights.parent.mkdir()
    save_file(build(method).state_dict(), weights)
    summary = weights.with_name("run.json")
    summary.write_text(json.dumps({"method": method.model_dump(mode="json"), "seed": 0}))
    Recorder("train", "0", {}).seal(manifest_path(weights), [weights, summary])
    return weights.parent


@pytest.mark.parametrize("name", [".", "model.safetensors"])
def test_a_run_opens_with_its_own_settings(folder, name):
    model = open_model(folder / name)
    assert model.network.pooling == "none" and not model.network.training
    assert model.settings == {"architecture": "npt", "width": 8, "pooling": "none", "unit_area": False}
    assert "npt (unit_area False, width 8, pooling none)" in str(model)


def test_weights_or_settings_that_do_not_match_the_manifest_are_refused(folder):
    summary = folder / "run.json"
    original = summary.read_text()
    summary.write_text(original.replace('"none"', '"max"'))
    with pytest.raises(ReposeError, match="run.json does not match its manifest"):
        open_model(folder)
    summary.write_text(original)
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(data)
    with pytest.raises(ReposeError, match="does not match its manifest"):
        open_model(folder)


def test_an_unfinished_run_is_refused(folder):
    (folder / "model.manifest.json").unlink()
    with pytest.raises(ReposeError, match="not finished: no manifest"):
        open_model(folder)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "damaged"),
        ("{}", "damaged"),
        (json.dumps({"method": SETTINGS | {"depth": 3}}), "settings of another version of repose: npt.depth"),
        (json.dumps({"method": SETTINGS | {"width": 16}}), "weights do not fit npt"),
    ],
)
def test_settings_that_do_not_fit_are_one_line(folder, text, says):
    (folder / "model.manifest.json").unlink()
    (folder / "run.json").write_text(text)
    with pytest.raises(ReposeError, match=says) as error:
        open_model(folder / "model.safetensors")
    assert "\n" not in str(error.value)
