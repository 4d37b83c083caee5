"""Tables of mesh transfer: datasets × methods × protocols, mean over seeds with 95 % intervals."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from repose.tables.runs import COSTS, PLACE, Run, cell, markdown_table, mean_and_interval, summaries

# Column of the table: metric of the scores, factor.
_METRICS = {
    "pmd_e4": ("pmd_m2", 1e4),
    "cd_e4": ("cd_m2", 1e4),
    "mpve_mm": ("mpve_mm", 1),
    "edge_error": ("edge_error", 1),
}
COLUMNS = [
    *PLACE,
    "pairs",
    "seeds",
    *(f"{m}{s}" for m in _METRICS for s in ("", "_ci95")),
    *COSTS,
    "reported_pmd_e4",
    "reported_source",
    "run_ids",
]
_SHOWN = ("PMD (1e-4 m²)", "CD (1e-4 m²)", "MPVE (mm)", "edge error")


def transfer_table(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per dataset, method and protocol, in the order of `runs` and of the protocols of their scores."""
    reported = _reported()
    rows = [row | reported.get(tuple(row[p] for p in PLACE), {}) for row in summaries(runs, _summary)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _summary(scores: Sequence[pd.DataFrame]) -> dict[str, Any]:
    row: dict[str, Any] = {"pairs": int((scores[0].metric == "pmd_m2").sum())}
    for column, (metric, factor) in _METRICS.items():
        means = np.array([table.value[table.metric == metric].mean() for table in scores])
        row |= mean_and_interval(column, means * factor)
    return row


def markdown(table: pd.DataFrame) -> str:
    """The columns a reader looks at first, as a Markdown table."""
    return markdown_table(table, _SHOWN, lambda row: [cell(row[c], row[f"{c}_ci95"]) for c in _METRICS])


def _reported() -> dict[tuple[str, ...], dict[str, Any]]:
    """Published numbers that were verified at their source; see `reported.csv` beside this file."""
    table = pd.read_csv(str(files("repose.tables").joinpath("reported.csv")))
    return {
        tuple(row[k] for k in PLACE): {k: row[k] for k in row if k not in PLACE}
        for row in table.to_dict("records")
    }
