"""Stage `train`: packed meshes and training triples, or images and pairs → weights and learning curve."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from repose.config.models import Compute, Method
from repose.errors import ReposeError
from repose.methods.settings import LearnedMethod
from repose.provenance.code import stage_code
from repose.provenance.manifest import Recorder, manifest_path
from repose.provenance.owner import Owner
from repose.provenance.publish import publish, write_text
from repose.store.image_store import ImageStore
from repose.store.mesh_store import MeshStore

KEPT = 3  # results of one target: going back to settings of last week costs no training


def run(
    method: Method,
    compute: Compute,
    store: Path,
    split: Path,
    seed: int,
    state: Path,
    out: Path,
    given: Mapping[str, Path],
) -> None:
    """Train and write `out` (safetensors), `history.parquet` and `run.json` into one folder.

    `given` is what else the method reads, by name: distances, neighbours, weights of other trainings.

    Checkpoints live below `state`, outside Snakemake's outputs, in a folder named by the hash of settings, data
    and code: a killed run resumes, and a changed one cannot pick up a stale checkpoint.

    Raises:
        ReposeError: the method has nothing to train, or training diverged.
    """
    if not isinstance(method, LearnedMethod):
        raise ReposeError(f"{method.architecture} has nothing to train")
    params = {"method": method.model_dump(mode="json"), "compute": compute.model_dump(mode="json")}
    recorder = Recorder("train", stage_code("train", method.network, method.recipe), params, seed)
    recorder.uses("store", manifest_path(store))
    recorder.uses("split", manifest_path(split))
    for name, path in given.items():
        recorder.uses(name, manifest_path(path))
    folder, label = state / recorder.key[:16], " ".join(out.parts[-4:-1])
    if recorder.reuse(manifest_path(out), keep=KEPT):
        if folder.exists():  # an earlier attempt was killed when its result was sealed
            _discard(folder, Owner(state / "owners" / folder.name, label))
        return
    # A finished result needs none of the libraries, which take seconds to import.
    from safetensors.torch import save

    from repose.train.fit import Job, train

    # Another method may have the same settings, and so the same checkpoints.
    owner = Owner(state / "owners" / folder.name, label)
    opened = ImageStore(store) if method.medium == "images" else MeshStore(store)
    result = train(Job(method, compute, opened, pd.read_parquet(split), seed, folder, label, given))
    summary = {
        **params,
        "seed": seed,
        "parameters": result.parameters,
        "best_step": result.best_step,
        f"best_{result.metric}": float(f"{result.best_value:.8g}"),
    }
    manifest_path(out).unlink(missing_ok=True)
    with publish(out) as private:
        private.write_bytes(save(result.weights))
    history, run_json = out.with_name("history.parquet"), out.with_name("run.json")
    with publish(history) as private:
        result.history.to_parquet(private, index=False)
    write_text(run_json, json.dumps(summary, indent=1) + "\n")
    recorder.costs = {
        "seconds": round(result.seconds, 1),
        "peak_memory_mib": round(result.peak_memory_mib, 1),
        "device": result.device,
    }
    recorder.seal(manifest_path(out), [out, history, run_json], {"parameters": result.parameters})
    _discard(folder, owner)


def _discard(folder: Path, owner: Owner) -> None:
    """Remove the checkpoints of a training whose result is sealed."""
    # First: what is left after a kill must not be taken for a training to resume.
    (folder / "last.ckpt").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    owner.release()
