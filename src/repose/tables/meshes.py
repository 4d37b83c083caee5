"""Tables of mesh transfer: datasets × methods × protocols, mean over seeds with 95 % intervals."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import pandas as pd

from repose.metrics.meshes import METRICS
from repose.tables.runs import COSTS, PLACE, Run, markdown_table, metric_columns, summaries

DATA = ("reported.csv",)
"""Files beside this one that are read: published numbers that were verified at their source."""
COLUMNS = [
    *PLACE,
    "told",
    "pairs",
    "seeds",
    *metric_columns(METRICS),
    *COSTS,
    "reported_pmd_e4",
    "reported_source",
    "run_ids",
]
OVER_FIRST: tuple[str, ...] = ()


def table(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per dataset, method and protocol, in the order of `runs` and of the protocols of their scores.

    `…_ci95` is the half width of the 95 % interval of the mean over seeds. Units and factors are those of
    `repose.metrics.meshes`.

    Raises:
        ReposeError: some scores are of a metric that is not there.
    """
    reported = _reported()
    rows = [row | reported.get(tuple(row[p] for p in PLACE), {}) for row in summaries(runs, METRICS, _counts)]
    return pd.DataFrame(rows, columns=COLUMNS)


def markdown(table: pd.DataFrame) -> str:
    """The columns a reader looks at first, as a Markdown table."""
    return markdown_table(table, [metric for metric in METRICS if "meshes" in metric.shown_in])


def _counts(scores: Sequence[pd.DataFrame]) -> dict[str, Any]:
    return {"pairs": int((scores[0].metric == METRICS[0].name).sum())}


def _reported() -> dict[tuple[str, ...], dict[str, Any]]:
    published = pd.read_csv(str(files("repose.tables").joinpath(*DATA)))
    return {
        tuple(row[k] for k in PLACE): {k: row[k] for k in row if k not in PLACE}
        for row in published.to_dict("records")
    }
