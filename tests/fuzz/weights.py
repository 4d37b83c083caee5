"""Readers of trained networks: checkpoints of others (`checkpoint`), our own (`weights`), and runs (`run`)."""

import json
import random
from pathlib import Path

import torch
from fuzz.mutate import VALUES, mutated
from fuzz.reader import Reader, by_path, lazy
from safetensors.torch import load, save


def _checkpoints(folder: Path) -> list[bytes]:
    found = []
    for is_zip in (True, False):
        state = {"module.a.weight": torch.ones(3, 4), "module.a.bias": torch.zeros(3)}
        torch.save(state, folder / "seed.pth", _use_new_zipfile_serialization=is_zip)
        found.append((folder / "seed.pth").read_bytes())
    return found


def _weights(folder: Path) -> list[bytes]:
    from repose.methods.build import create

    settings = {"architecture": "npt", "pooling": "max", "width": 8}
    state = create("npt", pooling="max", width=8).state_dict()
    return [save({k: v.contiguous() for k, v in state.items()}, {"repose": json.dumps(settings)})]


def _changed_weights(draw: random.Random, seeds: list[bytes]) -> bytes:
    if draw.random() < 0.4:
        return mutated(draw, seeds, False)
    settings: dict[str, object] = {"architecture": "npt", "pooling": "max", "width": 8}
    values = [*VALUES, 10**5, 2**63, "corenet", "os", "flow-transfer"]
    settings[draw.choice(["architecture", "pooling", "width", "other"])] = draw.choice(values)
    return save(load(seeds[0]), {"repose": json.dumps(settings)})


def _run(folder: Path) -> list[bytes]:
    from pydantic import TypeAdapter

    from repose.config.models import Method
    from repose.methods.build import build

    training = {"steps": 4, "batch": 1, "points": 40, "learning_rate": 1e-3}
    settings = {"architecture": "npt", "pooling": "max", "width": 8, "training": training}
    method: Method = TypeAdapter(Method).validate_python(settings)
    weights = {k: v.contiguous() for k, v in build(method).state_dict().items()}
    (folder / "model.safetensors").write_bytes(save(weights))
    return [json.dumps({"method": method.model_dump(mode="json"), "seed": 0}).encode()]


def _read_run(data: bytes, folder: Path) -> None:
    from repose.weights.model import open_model

    (folder / "run.json").write_bytes(data)
    open_model(folder / "model.safetensors")


WEIGHTS = (
    Reader("checkpoint", _checkpoints, by_path("x.pth", lazy("repose.checkpoint", "read_checkpoint"))),
    Reader("weights", _weights, by_path("x.safetensors", lazy("repose.weights.model", "open_model")),
           change=_changed_weights),
    Reader("run", _run, _read_run, text=True),
)  # fmt: skip
