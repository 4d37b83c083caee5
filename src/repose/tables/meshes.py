"""Tables of mesh transfer: datasets × methods × protocols, means with 95 % intervals."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pandas as pd

from repose.columns import TRIPLE
from repose.convert.catalog import mesh_numbers
from repose.methods.tracks import track_of
from repose.metrics.meshes import METRICS
from repose.metrics.metric import Metric
from repose.raw.settings import RENDERED
from repose.section import ACROSS
from repose.tables.bootstrap import half_width95
from repose.tables.runs import COSTS, PLACE, PREDICTED, Run, metric_columns, six_digits, summaries
from repose.tables.shown import Shown, shown

_GAIN = replace(METRICS[0], column=f"{METRICS[0].column}_gain", title="gain", better="higher")
_BASELINE = "copy-pose"
_ALIGNED = (
    "the weights are those that the method learned on the dataset after the @. Each mesh is moved to the middle of its "
    "box, as in training; none is turned or scaled to be like those that were learned from."
)
DATA = ("reported.csv",)
"""Files beside this one that are read: published numbers that were verified at their source."""
COLUMNS = [
    *PLACE,
    "told",
    "track",
    "pairs",
    "seeds",
    *metric_columns([METRICS[0], _GAIN, *METRICS[1:]]),
    *COSTS,
    *PREDICTED,
    "reported_pmd_e4",
    "reported_source",
    "run_ids",
]


def reference(methods: Sequence[str]) -> str | None:
    """Return the method of a dataset whose scores all rows also use."""
    return _BASELINE if _BASELINE in methods else None


def table(runs: Sequence[Run]) -> pd.DataFrame:
    """Return one row per dataset, method and protocol, in the order of `runs` and of the protocols of their scores.

    `…_ci95` is the half width of the 95 % interval of the mean, by a bootstrap over identities, poses and seeds
    (`repose.tables.bootstrap`). `pmd_e4_gain` is how much nearer to the truth a method is than `copy-pose`, on the same
    triples; empty without that row. `predict_seconds` and `predict_memory_mib` are the costs of a prediction on the
    machine that made it. `track` is what a method may see when it is tested (docs/benchmark.md). Units and factors are
    those of `repose.metrics.meshes`.

    Raises:
        ReposeError: some scores are of an unknown metric.
    """
    reported = _reported()
    copied = {run.dataset: run.scores for run in runs if run.method == _BASELINE}
    rows = []
    for row in summaries(runs, METRICS, _counts, over_clusters):
        scores = row.pop("scores")
        row["track"] = track_of(row["told"].split(", "), row["protocol"] == RENDERED) or "oracle"
        gain = _gain(scores, copied[row["dataset"]]) if row["dataset"] in copied else {}
        rows.append(row | gain | reported.get(tuple(row[p] for p in PLACE), {}))
    return pd.DataFrame(rows, columns=COLUMNS)


def over_clusters(metric: Metric, scores: Sequence[pd.DataFrame]) -> float:
    """Return the interval of a metric of transfers over identities, poses and seeds; NaN if it was not measured."""
    rows = pd.concat([s[s.metric == metric.name].assign(seed=seed) for seed, s in enumerate(scores)])
    return _half_width(rows) * metric.factor


def _gain(scores: Sequence[pd.DataFrame], copied: pd.DataFrame) -> dict[str, float]:
    """Return the difference of the first metric to the baseline, triple by triple, and its interval."""
    rows = pd.concat([s[s.metric == _GAIN.name].assign(seed=seed) for seed, s in enumerate(scores)])
    baseline = copied[copied.metric == _GAIN.name].drop(columns="metric")
    both = rows.merge(baseline, on=["protocol", *TRIPLE], suffixes=("", "_of_baseline"))
    both["value"] = both.value_of_baseline - both.value
    found = both.value.mean() * _GAIN.factor, _half_width(both) * _GAIN.factor
    return dict(zip(metric_columns([_GAIN]), map(six_digits, found), strict=True))


def _half_width(rows: pd.DataFrame) -> float:
    numbers = rows.truth_mesh.map(mesh_numbers)
    return half_width95(rows.value, [numbers.str[0], numbers.str[1], rows.seed])


def views(table: pd.DataFrame) -> list[Shown]:
    """Return the columns that a reader looks at first."""
    metrics = [metric for metric in METRICS if "meshes" in metric.shown_in]
    if table[_GAIN.column].notna().any():
        metrics.insert(1, _GAIN)
    view = shown(table, metrics)
    return [view._replace(notes=[*view.notes, *_across(table.method)])]


def _across(methods: pd.Series) -> list[str]:
    """Return notes on methods by name: weights from another dataset, and the alignment of the meshes."""
    learned = [name for name in methods.unique() if ACROSS in name]
    return [f"`{learned[0]}`: {_ALIGNED}"] if learned else []


def _counts(scores: Sequence[pd.DataFrame]) -> dict[str, Any]:
    return {"pairs": int((scores[0].metric == METRICS[0].name).sum()), "scores": scores}


def _reported() -> dict[tuple[str, ...], dict[str, Any]]:
    published = pd.read_csv(str(files("repose.tables").joinpath(*DATA)))
    return {
        tuple(row[k] for k in PLACE): {k: row[k] for k in row if k not in PLACE}
        for row in published.to_dict("records")
    }
