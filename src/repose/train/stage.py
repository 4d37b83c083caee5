"""Stage `train`: from packed data and training triples or pairs to weights and a learning curve."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repose import specs
from repose.errors import ReposeError
from repose.methods.settings import LearnedMethod, MethodSettings
from repose.provenance.making import Artefact, making
from repose.provenance.owner import Owner
from repose.reading import read_rows

if TYPE_CHECKING:
    from repose.config.models import Compute
    from repose.train.fit import Trained

KEPT = 3  # results kept per target, so that going back to earlier settings needs no new training


def run(
    method: MethodSettings,
    compute: "Compute",
    store: Path,
    split: Path,
    seed: int,
    state: Path,
    out: Path,
    others: Mapping[str, Path],
) -> None:
    """Train and write `out` (safetensors), `history.parquet` and `run.json` into one folder.

    `others` are the paths of further inputs by name: distances, neighbours, weights of other trainings.

    Checkpoints live below `state`, outside Snakemake's outputs, in a folder named by the hash of settings, data
    and code: a killed run resumes, and a changed one cannot pick up a stale checkpoint.

    Raises:
        ReposeError: the method has nothing to train, or training diverged.
    """
    if not isinstance(method, LearnedMethod):
        raise ReposeError(f"{method.architecture} has nothing to train")
    spec, inputs = specs.train(method, compute, seed), {"store": store, "split": split, **others}
    with making(spec, out, inputs, keep=KEPT, later=("store", "gih")) as new:
        folder, label = state / new.key[:16], " ".join(out.parts[-4:-1])
        if new.finished:
            if folder.exists():  # an earlier attempt was killed while its result was sealed
                _discard(folder, Owner(state / "owners" / folder.name, label))
            return
        # A finished result needs none of these libraries, which take seconds to import.
        from repose.methods.build import recipe_of
        from repose.train.fit import Job, train

        # Another method with the same settings would have the same checkpoints.
        owner = Owner(state / "owners" / folder.name, label)
        opened, rows = recipe_of(method).open(store), read_rows(split)
        result = train(Job(method, compute, opened, rows, seed, folder, label, others))
        _write(result, dict(spec.params), seed, out, new)
    _discard(folder, owner)


def _write(result: "Trained", params: dict[str, Any], seed: int, out: Path, new: Artefact) -> None:
    from safetensors.torch import save

    summary = {
        **params,
        "seed": seed,
        "parameters": result.parameters,
        "best_step": result.best_step,
        f"best_{result.metric}": float(f"{result.best_value:.8g}"),
    }
    with new.file(out) as private:
        private.write_bytes(save(result.weights))
    with new.file(out.with_name("history.parquet")) as private:
        result.history.to_parquet(private, index=False)
    new.text(out.with_name("run.json"), json.dumps(summary, indent=1) + "\n")
    new.costs |= {
        "seconds": round(result.seconds, 1),
        "peak_memory_mib": round(result.peak_memory_mib, 1),
        "device": result.device,
    }
    new.describe = {"parameters": result.parameters}


def _discard(folder: Path, owner: Owner) -> None:
    """Remove the checkpoints of a training whose result is sealed."""
    # The mark first: what a kill leaves here must not be taken for a training to resume.
    (folder / "last.ckpt").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    owner.release()
