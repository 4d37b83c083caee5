"""Stage `tables`: from the scores of all runs to results/{table}.csv and its twins in Markdown and LaTeX."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pandas as pd

from repose.medium import Medium, module_of
from repose.provenance.making import making
from repose.provenance.manifest import Manifest, load
from repose.reading import read_rows
from repose.specs import Spec
from repose.tables.latex import latex
from repose.tables.runs import Run
from repose.tables.shown import markdown


def run(spec: Spec, inputs: Mapping[str, Path], out: Path) -> None:
    """Check every run's chain of manifests, then write the table as CSV, Markdown and LaTeX.

    Args:
        spec: what decides the table: its rows, and the protocols of each dataset.
        inputs: `scores:{run}`, `predictions:{run}` and, if they exist, `run:{run}` (weights) and `render-scores:{run}`
            of every run `{dataset}/{method}/seed{n}`, in the order of the table's rows.
        out: the CSV; its twins stand beside it.

    Only the manifests of predictions and weights are read, so their files are not hashed.

    Raises:
        ReposeError: a part of a run is missing, damaged, or was made from something other than the present inputs.
    """
    scored = {name for name in inputs if name.partition(":")[0] in ("scores", "render-scores")}
    with making(spec, out, inputs, keep=0, later=inputs.keys() - scored) as new:
        for run in _runs(inputs):
            new.made_from(f"scores:{run}", {"predictions": f"predictions:{run}"})
            if f"run:{run}" in inputs:
                new.made_from(f"predictions:{run}", {"run": f"run:{run}"})
            if f"render-scores:{run}" in inputs:
                new.made_from(f"render-scores:{run}", {"predictions": f"predictions:{run}"})
        tables = module_of("repose.tables", spec.params["medium"])
        table = tables.table(_read_runs(new.inputs, _runs(inputs), spec.params["protocols"]))
        with new.file(out) as private:
            table.to_csv(private, index=False)
        for suffix, text in twins(spec.params["medium"], table).items():
            new.text(out.with_suffix(suffix), text)
        new.describe = {"rows": len(table), "columns": list(table.columns)}


def twins(medium: Medium, table: pd.DataFrame) -> dict[str, str]:
    """Return the texts beside the CSV of a table, by the suffix of the file."""
    views = module_of("repose.tables", medium).views(table)
    return {".md": markdown(views), ".tex": latex(views).text}


def _runs(names: Collection[str]) -> list[str]:
    """Return the runs among the inputs of a table."""
    return [name.removeprefix("scores:") for name in names if name.startswith("scores:")]


def _read_runs(
    manifests: Mapping[str, Manifest], runs: Sequence[str], protocols: Mapping[str, Collection[str]]
) -> list[Run]:
    return [_run(run, protocols[run.split("/")[0]], manifests) for run in runs]


def derive(table: Manifest, names: Collection[str]) -> pd.DataFrame:
    """Recompute a table from the scores that its manifest names; nothing is hashed.

    Args:
        table: the manifest of the table.
        names: inputs of the table, in its order; runs whose scores are not among them are left out.
    """
    params, runs = table.history["params"], _runs(names)
    wanted = {name: load(path) for name, path in table.parents.items() if name.partition(":")[2] in runs}
    tables = module_of("repose.tables", params["medium"])
    return tables.table(_read_runs(wanted, runs, params["protocols"]))


def _run(name: str, protocols: Collection[str], manifests: Mapping[str, Manifest]) -> Run:
    dataset, method, _ = name.split("/")
    predictions, trained = manifests[f"predictions:{name}"], manifests.get(f"run:{name}")
    scores = read_rows(manifests[f"scores:{name}"].artefact)
    renders = manifests.get(f"render-scores:{name}")
    rows = pd.concat([scores, *([read_rows(renders.artefact)] if renders else [])], ignore_index=True)
    history, transfers = predictions.history, _transfers(scores)
    return Run(
        dataset,
        method,
        run_id=(trained or predictions).digest[:12],
        scores=rows[rows.protocol.isin(protocols)] if protocols else rows,
        parameters=int(predictions.content["describe"]["parameters"]),
        train_seconds=float(trained.history["seconds"]) if trained else None,
        peak_memory_mib=float(trained.history["peak_memory_mib"]) if trained else None,
        told=history["params"]["told"],
        predict_seconds=float(history["seconds"]) / transfers if transfers else None,
        predict_memory_mib=float(history["peak_memory_mib"]),
    )


def _transfers(scores: pd.DataFrame) -> int | None:
    """Return how many meshes were predicted in all protocols; None for images and for generated poses."""
    if "truth_mesh" not in scores:
        return None
    return len(scores.drop(columns=["metric", "value"]).drop_duplicates())
