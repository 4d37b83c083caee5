"""What all tables share: a row per dataset, method and protocol of some runs, and its numbers and texts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

PLACE = ["dataset", "method", "protocol"]
COSTS = ["parameters", "train_seconds", "peak_memory_mib"]


@dataclass(frozen=True)
class Run:
    """One method on one dataset with one seed, its chain of manifests already checked."""

    dataset: str
    method: str
    run_id: str
    scores: pd.DataFrame
    parameters: int
    train_seconds: float | None  # None for a method that does not train
    peak_memory_mib: float | None


Summary = Callable[[Sequence[pd.DataFrame]], dict[str, Any]]
"""Measures of one row, from the scores of its seeds on one protocol."""


def summaries(runs: Sequence[Run], summary: Summary) -> Iterator[dict[str, Any]]:
    """A row per dataset, method and protocol, in the order of `runs` and of the protocols of their scores."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.dataset, run.method), []).append(run)
    for (dataset, method), members in groups.items():
        for protocol in members[0].scores.protocol.unique():
            scores = [run.scores[run.scores.protocol == protocol] for run in members]
            place = dict(zip(PLACE, (dataset, method, protocol), strict=True))
            yield (
                place
                | {"seeds": len(members)}
                | summary(scores)
                | {
                    "parameters": members[0].parameters,
                    "train_seconds": _mean_known([r.train_seconds for r in members], 1),
                    "peak_memory_mib": _mean_known([r.peak_memory_mib for r in members], 0),
                    "run_ids": ";".join(r.run_id for r in members),
                }
            )


def mean_and_interval(column: str, values: np.ndarray) -> dict[str, float]:
    """Mean over seeds, and half the width of its 95 % interval, under the names that tables give them."""
    return {column: six_digits(values.mean()), f"{column}_ci95": six_digits(interval95(values))}


def interval95(values: np.ndarray) -> float:
    """Half width of the 95 % Student-t interval of the mean; NaN for fewer than two values."""
    if len(values) < 2:
        return float("nan")
    return float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))


def six_digits(value: float) -> float:
    """A number as tables show it."""
    return float(f"{value:.6g}")


def markdown_table(
    table: pd.DataFrame, titles: Sequence[str], cells: Callable[[dict[Any, Any]], Sequence[str]]
) -> str:
    """A Markdown table: place, some cells with their titles, and the seconds of training."""
    lines = ["| " + " | ".join([*PLACE, *titles, "train (s)"]) + " |"]
    lines.append("|---|---|---|" + "---:|" * (len(titles) + 1))
    for row in table.to_dict("records"):
        seconds = "–" if pd.isna(row["train_seconds"]) else f"{row['train_seconds']:.0f}"
        lines.append("| " + " | ".join([*(row[p] for p in PLACE), *cells(row), seconds]) + " |")
    return "\n".join(lines) + "\n"


def cell(value: float, half_width: float) -> str:
    """A number with its interval, where there is one; a dash where there is no number."""
    if pd.isna(value):
        return "–"
    return f"{value:.4g}" if pd.isna(half_width) else f"{value:.4g} ± {half_width:.2g}"


def _mean_known(values: Sequence[float | None], digits: int) -> float | None:
    """Mean of what is known, None if nothing is."""
    known = [v for v in values if v is not None]
    return round(float(np.mean(known)), digits) if known else None
