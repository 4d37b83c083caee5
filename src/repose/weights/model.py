"""Open a model by its path: a run of the workflow, or an imported file."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from torch import nn

from repose.config.models import Method
from repose.errors import ReposeError
from repose.methods.build import build, count_parameters, create
from repose.methods.load import load_weights
from repose.methods.settings import MethodSettings
from repose.provenance.manifest import manifest_path, verify
from repose.reading import foreign, read_json
from repose.weights.shipped import KINDS, METADATA, described, shipped

MAX_SETTING = 1 << 16  # limit of a setting, so that the network is built within seconds
_HINT = (
    "give human, animal, a folder results/runs/DATASET/METHOD/seedN, or what `repose import-weights` wrote"
)


@dataclass(frozen=True)
class Model:
    """A network with trained weights, in evaluation mode, and its settings."""

    network: nn.Module
    weights: Path
    settings: dict[str, Any]  # architecture and arguments of the network

    def __str__(self) -> str:
        return described(self.weights, self.settings, count_parameters(self.network))


def open_model(path: Path) -> Model:
    """Load a model.

    Args:
        path: "human" or "animal", whose weights come with the package; the folder of a run, which holds
            `model.safetensors` and `run.json`; or a safetensors file with its settings in its metadata, or in a
            `run.json` beside it.

    Raises:
        ReposeError: there is no model, it does not match its manifest, or the weights do not fit the settings.
    """
    if not path.exists() and str(path) in KINDS:
        path = shipped(str(path))
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
    architecture, arguments = str(settings.get("architecture")), dict(settings)
    arguments.pop("architecture", None)
    network = _made(partial(create, architecture, **arguments), arguments, weights)
    return Model(load_weights(network, weights, settings["architecture"]), weights, settings)


def _made(make: Callable[[], nn.Module], settings: Mapping[str, Any], weights: Path) -> nn.Module:
    """Build a network with no more parameters than its weights have bytes, as settings could ask for any size."""
    size = weights.stat().st_size
    larger = ReposeError("its settings are those of a larger network than its weights", weights, _HINT)
    if max((n for n in settings.values() if isinstance(n, int)), default=0) > min(size, MAX_SETTING):
        raise larger
    unknown = "its settings are not those of a known network"
    try:
        with foreign(weights, unknown, _HINT), torch.device("meta"):  # on the meta device, without values
            parameters = count_parameters(make())
    except ReposeError as error:
        raise error if error.where else ReposeError(f"{unknown}: {error.what}", weights, _HINT) from None
    if parameters > size:
        raise larger
    with foreign(weights, unknown, _HINT):
        return make()


def method_of(summary: Mapping[str, Any]) -> MethodSettings:
    """Return the method of a run, by its `run.json`."""
    return TypeAdapter(Method).validate_python(summary["method"])


def arguments_of(method: MethodSettings) -> dict[str, Any]:
    """Return architecture and arguments of the network of a method."""
    return method.model_dump(mode="json", exclude=set(method.not_of_network) - {"architecture"})


def _of_run(weights: Path) -> Model:
    summary = weights.with_name("run.json")
    if not summary.is_file():
        raise ReposeError("holds no settings, and no run.json is beside it", weights, _HINT)
    try:
        method = method_of(read_json(summary))
    except ValidationError as error:
        first = error.errors()[0]
        what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise ReposeError(f"settings of another version of repose: {what}", summary, "train again") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ReposeError(f"damaged: {error}", summary, "train again") from None
    settings = arguments_of(method)
    network = load_weights(_made(partial(build, method), settings, weights), weights, method.architecture)
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
    except (ValueError, RecursionError):
        settings = None
    if not isinstance(settings, dict):
        raise ReposeError("its settings are damaged", weights, _HINT)
    return settings
