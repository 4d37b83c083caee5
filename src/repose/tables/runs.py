"""The common part of all tables: one row per dataset, method and protocol of some runs, with numbers and texts."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from repose.errors import ReposeError
from repose.metrics.metric import Metric

PLACE = ["dataset", "method", "protocol"]
PREDICTED = ["predict_seconds", "predict_memory_mib"]
MEASURED = ["train_seconds", "peak_memory_mib", *PREDICTED]  # these differ between any two runs
COSTS = ["parameters", *MEASURED[:2]]
HEADINGS = dict(zip(MEASURED, ("train (s)", "train (MiB)", "predict (s)", "predict (MiB)"), strict=True))


@dataclass(frozen=True)
class Run:
    """One method on one dataset with one seed, whose chain of manifests is already checked.

    Attributes:
        scores: columns protocol, metric, value and those that name the items of the medium.
        train_seconds, peak_memory_mib: costs of the training; None for a method that does not train.
        told: what the method is told besides its inputs, `repose.methods.settings.Told`.
        predict_seconds: seconds of one prediction: those of the stage, divided by the number of predictions; None if
            these are not transfers between meshes.
        predict_memory_mib: peak memory of the prediction's process.
    """

    dataset: str
    method: str
    run_id: str
    scores: pd.DataFrame
    parameters: int
    train_seconds: float | None
    peak_memory_mib: float | None
    told: Sequence[str] = ()
    predict_seconds: float | None = None
    predict_memory_mib: float | None = None


Counts = Callable[[Sequence[pd.DataFrame]], dict[str, Any]]
"""What a row has besides its metrics and costs, from the scores of its seeds on one protocol."""

Interval = Callable[[Metric, Sequence[pd.DataFrame]], float]
"""Half the width of the 95 % interval of a number in a table, from the scores of its seeds on one protocol."""


def over_seeds(metric: Metric, scores: Sequence[pd.DataFrame]) -> float:
    """Return the interval over seeds; NaN for one seed."""
    return interval95(np.array([metric.number(table) for table in scores]))


def summaries(
    runs: Sequence[Run], metrics: Sequence[Metric], counts: Counts, interval: Interval = over_seeds
) -> Iterator[dict[str, Any]]:
    """Yield one row per dataset, method and protocol, in the order of `runs` and of the protocols of their scores.

    Args:
        runs: runs of all seeds of all methods.
        metrics: the metrics that the table knows.
        counts: returns the further columns of a row.
        interval: returns the interval of a metric.

    Raises:
        ReposeError: some scores are of a metric that the table does not know.
    """
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        _check_known(run, metrics)
        groups.setdefault((run.dataset, run.method), []).append(run)
    for (dataset, method), members in groups.items():
        for protocol in members[0].scores.protocol.unique():
            scores = [run.scores[run.scores.protocol == protocol] for run in members]
            place = dict(zip(PLACE, (dataset, method, protocol), strict=True))
            told = ", ".join(members[0].told) or "inputs"
            row = place | {"told": told, "seeds": len(members)} | counts(scores)
            for metric in metrics:
                mean = float(np.mean([metric.number(table) for table in scores]))
                row |= {
                    metric.column: six_digits(mean),
                    f"{metric.column}_ci95": six_digits(interval(metric, scores)),
                }
            yield row | {
                "parameters": members[0].parameters,
                "train_seconds": _mean_known([r.train_seconds for r in members], 1),
                "peak_memory_mib": _mean_known([r.peak_memory_mib for r in members], 0),
                "predict_seconds": _mean_known([r.predict_seconds for r in members], 4),
                "predict_memory_mib": _mean_known([r.predict_memory_mib for r in members], 0),
                "run_ids": ";".join(r.run_id for r in members),
            }


def _check_known(run: Run, metrics: Collection[Metric]) -> None:
    if unknown := set(run.scores.metric) - {metric.name for metric in metrics}:
        raise ReposeError(
            f"the scores have metric {min(unknown)!r}, which the table does not know",
            where=f"{run.dataset}/{run.method}",
            hint="give it a row in repose.metrics, or score again",
        )


def metric_columns(metrics: Sequence[Metric]) -> list[str]:
    """Return the columns of the CSV: each metric, and half the width of its 95 % interval."""
    return [f"{metric.column}{end}" for metric in metrics for end in ("", "_ci95")]


def interval95(values: np.ndarray) -> float:
    """Return the half width of the 95 % Student-t interval of the mean; NaN for fewer than two values."""
    if len(values) < 2:
        return float("nan")
    return float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))


def six_digits(value: float) -> float:
    """Round a number to the digits that tables show."""
    return float(f"{value:.6g}")


def role_of(told: Collection[str], trained: bool) -> str:
    """Return `oracle` if a method is told the answer, `baseline` if nothing was trained, else `method`."""
    return "oracle" if "answer" in told else "method" if trained else "baseline"


def cell(value: float, half_width: float) -> str:
    """Format a number with its interval, if that has a width; a dash if there is no number."""
    if pd.isna(value):
        return "–"
    width = "" if pd.isna(half_width) or not half_width else f" ± {float(f'{half_width:.2g}'):g}"
    return f"{value:.4g}{width}"


def _mean_known(values: Sequence[float | None], digits: int) -> float | None:
    """Return the mean of the known values, or None if there is none."""
    known = [v for v in values if v is not None]
    return round(float(np.mean(known)), digits) if known else None
