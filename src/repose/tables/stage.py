"""Stage `tables`: scores of all runs → results/{table}.csv and its Markdown twin."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from repose.medium import module_of
from repose.methods.settings import Medium
from repose.provenance.code import of_medium, stage_code
from repose.provenance.manifest import Manifest, Recorder, check_link, load, manifest_path
from repose.provenance.publish import publish, write_text
from repose.tables.runs import Run


@dataclass(frozen=True)
class RunFiles:
    """Where the parts of one run lie; `model` is None for a method that does not train.

    A table has rows of `protocols`; empty: of all there are. `judged` has the scores of pictures of the run; None where
    there are none.
    """

    dataset: str
    method: str
    seed: int
    scores: Path
    predictions: Path
    model: Path | None
    protocols: tuple[str, ...] = ()
    judged: Path | None = None


class _Chain(NamedTuple):
    """The manifests of one run."""

    scores: Manifest
    predictions: Manifest
    trained: Manifest | None
    judged: Manifest | None


def run(runs: Sequence[RunFiles], out: Path, medium: Medium = "meshes") -> None:
    """Check every run's chain of manifests, then write the table as CSV and Markdown."""
    code = stage_code(of_medium("tables", medium))
    protocols = {files.dataset: files.protocols for files in runs}
    recorder = Recorder("tables", code, {"table": out.stem, "medium": medium, "protocols": protocols})
    recorder.own(manifest_path(out))
    tables = module_of("repose.tables", medium)
    table = tables.table([_checked(files, recorder) for files in runs])
    manifest_path(out).unlink(missing_ok=True)
    with publish(out) as private:
        table.to_csv(private, index=False)
    twin = out.with_suffix(".md")
    write_text(twin, tables.markdown(table))
    recorder.seal(manifest_path(out), [out, twin], {"rows": len(table), "columns": list(table.columns)})


def derive(table: Manifest, names: Collection[str]) -> pd.DataFrame:
    """Compute a table again from the scores that its manifest names; nothing is hashed.

    Args:
        table: the manifest of the table.
        names: inputs of the table, in its order; runs whose scores are not among them are left out.
    """
    parents = table.parents
    runs = [name.removeprefix("scores:") for name in names if name.startswith("scores:")]
    params = table.history["params"]
    make = module_of("repose.tables", params["medium"]).table
    protocols = params.get("protocols", {})
    return make([_run(run, protocols.get(run.split("/")[0], ()), _chain(parents, run)) for run in runs])


def _chain(parents: Mapping[str, Path], run: str) -> _Chain:
    names = (f"{part}:{run}" for part in ("run", "judged"))
    trained, judged = (load(parents[name]) if name in parents else None for name in names)
    return _Chain(load(parents[f"scores:{run}"]), load(parents[f"predictions:{run}"]), trained, judged)


def _checked(files: RunFiles, recorder: Recorder) -> Run:
    """Refuse a run whose scores, predictions or checkpoint do not match their manifests, or each other."""
    name = f"{files.dataset}/{files.method}/seed{files.seed}"
    scores = recorder.uses(f"scores:{name}", manifest_path(files.scores))
    predictions = recorder.uses(f"predictions:{name}", manifest_path(files.predictions))
    check_link(scores, "predictions", predictions)
    trained, judged = None, None
    if files.model:
        trained = recorder.uses(f"run:{name}", manifest_path(files.model))
        check_link(predictions, "run", trained)
    if files.judged:
        judged = recorder.uses(f"judged:{name}", manifest_path(files.judged))
        check_link(judged, "predictions", predictions)
    return _run(name, files.protocols, _Chain(scores, predictions, trained, judged))


def _run(name: str, protocols: Collection[str], chain: _Chain) -> Run:
    dataset, method, _ = name.split("/")
    predictions, trained = chain.predictions, chain.trained
    seconds, memory = None, None
    if trained:
        seconds, memory = float(trained.history["seconds"]), float(trained.history["peak_memory_mib"])
    parameters = int(predictions.content["describe"]["parameters"])
    rows = pd.concat(
        [_rows(part) for part in (chain.scores, chain.judged) if part is not None], ignore_index=True
    )
    if protocols:
        rows = rows[rows.protocol.isin(protocols)]
    return Run(dataset, method, (trained or predictions).digest[:12], rows, parameters, seconds, memory)


def _rows(scores: Manifest) -> pd.DataFrame:
    (parquet,) = scores.content["files"]
    return pd.read_parquet(scores.path.parent / parquet)
