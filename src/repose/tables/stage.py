"""Stage `tables`: scores of all runs → results/{table}.csv and its Markdown twin."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from repose.provenance.code import stage_code
from repose.provenance.manifest import Recorder, check_link, manifest_path
from repose.provenance.publish import publish, write_text
from repose.tables.transfer import Run, markdown, transfer_table


@dataclass(frozen=True)
class RunFiles:
    """Where the parts of one run lie; `model` is None for a method that does not train."""

    dataset: str
    method: str
    seed: int
    scores: Path
    predictions: Path
    model: Path | None


def run(runs: Sequence[RunFiles], out: Path) -> None:
    """Check every run's chain of manifests, then write the table as CSV and Markdown."""
    recorder = Recorder("tables", stage_code("tables"), {"table": out.stem})
    table = transfer_table([_checked(files, recorder) for files in runs])
    manifest_path(out).unlink(missing_ok=True)
    with publish(out) as private:
        table.to_csv(private, index=False)
    twin = out.with_suffix(".md")
    write_text(twin, markdown(table))
    recorder.seal(manifest_path(out), [out, twin], {"rows": len(table), "columns": list(table.columns)})


def _checked(files: RunFiles, recorder: Recorder) -> Run:
    """Refuse a run whose scores, predictions or checkpoint do not match their manifests, or each other."""
    name = f"{files.dataset}/{files.method}/seed{files.seed}"
    scores = recorder.uses(f"scores:{name}", manifest_path(files.scores))
    predictions = recorder.uses(f"predictions:{name}", manifest_path(files.predictions))
    check_link(scores, "predictions", predictions)
    last, seconds, memory = predictions, None, None
    if files.model:
        last = recorder.uses(f"run:{name}", manifest_path(files.model))
        check_link(predictions, "run", last)
        seconds, memory = float(last.history["seconds"]), float(last.history["peak_memory_mib"])
    parameters = int(predictions.content["describe"]["parameters"])
    rows = pd.read_parquet(files.scores)
    return Run(files.dataset, files.method, last.digest[:12], rows, parameters, seconds, memory)
