"""Open a model by its path: a run of the workflow, or an imported file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from torch import nn

from repose.config.models import Method
from repose.errors import ReposeError
from repose.methods.build import build, count_parameters, create
from repose.methods.load import load_weights
from repose.provenance.manifest import manifest_path, verify

METADATA = "repose"  # key of the settings in a safetensors file's metadata
_HINT = "give a folder results/runs/DATASET/METHOD/seedN, or a file that `repose import-weights` wrote"


@dataclass(frozen=True)
class Model:
    """A network with trained weights, in evaluation mode, and what it is."""

    network: nn.Module
    weights: Path
    settings: dict[str, Any]  # architecture and arguments of the network

    def __str__(self) -> str:
        settings = ", ".join(f"{k} {v}" for k, v in self.settings.items() if k != "architecture")
        parameters = f"{count_parameters(self.network):,} parameters"
        return f"{self.weights}: {self.settings['architecture']} ({settings}), {parameters}"


def open_model(path: Path) -> Model:
    """Load a model.

    Args:
        path: the folder of a run, which holds `model.safetensors` and `run.json`; or a safetensors file with
            its settings in its metadata, or in a `run.json` beside it.

    Raises:
        ReposeError: there is no model, it does not match its manifest, or the weights do not fit the settings.
    """
    if not path.exists():
        raise ReposeError("no such model", path, _HINT)
    weights = path / "model.safetensors" if path.is_dir() else path
    if not weights.is_file():
        raise ReposeError("no model.safetensors in this folder", path, _HINT)
    if weights.suffix != ".safetensors":
        raise ReposeError(
            "not a safetensors file", path, "bring published weights in with `repose import-weights`"
        )
    if path.is_dir() or manifest_path(weights).exists():
        verify(manifest_path(weights))
    settings = _metadata(weights)
    if settings is None:
        return _of_run(weights)
    try:
        network = create(
            settings["architecture"], **{k: v for k, v in settings.items() if k != "architecture"}
        )
    except (KeyError, TypeError, ModuleNotFoundError, AttributeError, ReposeError) as error:
        what = error.what if isinstance(error, ReposeError) else str(error)
        raise ReposeError(f"its settings are not those of a known network: {what}", weights, _HINT) from None
    return Model(load_weights(network, weights, settings["architecture"]), weights, settings)


def _of_run(weights: Path) -> Model:
    summary = weights.with_name("run.json")
    try:
        method: Method = TypeAdapter(Method).validate_python(json.loads(summary.read_text("utf-8"))["method"])
    except FileNotFoundError:
        raise ReposeError("holds no settings, and no run.json is beside it", weights, _HINT) from None
    except ValidationError as error:
        first = error.errors()[0]
        what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise ReposeError(f"settings of another version of repose: {what}", summary, "train again") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ReposeError(f"damaged: {error}", summary, "train again") from None
    settings = method.model_dump(mode="json", exclude={"training"})
    network = load_weights(build(method), weights, method.architecture)
    return Model(network, weights, settings)


def _metadata(weights: Path) -> dict[str, Any] | None:
    try:
        with safe_open(weights, "pt") as file:
            text = (file.metadata() or {}).get(METADATA)
    except (SafetensorError, OSError) as error:
        raise ReposeError(f"not a safetensors file: {error}", weights, _HINT) from None
    if text is None:
        return None
    try:
        settings = json.loads(text)
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise ReposeError("its settings are damaged", weights, _HINT)
    return settings
