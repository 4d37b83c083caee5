"""Tables of mesh transfer: datasets × methods × protocols, mean over seeds with 95 % intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

COLUMNS = [
    "dataset",
    "method",
    "protocol",
    "pairs",
    "seeds",
    *(f"{m}{s}" for m in ("pmd_e4", "cd_e4", "mpve_mm", "edge_error") for s in ("", "_ci95")),
    "parameters",
    "train_seconds",
    "peak_memory_mib",
    "reported_pmd_e4",
    "reported_source",
    "run_ids",
]
# Column of the table: metric of the scores, factor.
_METRICS = {
    "pmd_e4": ("pmd_m2", 1e4),
    "cd_e4": ("cd_m2", 1e4),
    "mpve_mm": ("mpve_mm", 1),
    "edge_error": ("edge_error", 1),
}


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


def transfer_table(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per dataset, method and protocol, in the order of `runs` and of the protocols of their scores."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.dataset, run.method), []).append(run)
    reported = _reported()
    rows = []
    for (dataset, method), members in groups.items():
        for protocol in members[0].scores.protocol.unique():
            row: dict[str, Any] = {
                "dataset": dataset,
                "method": method,
                "protocol": protocol,
                "seeds": len(members),
            }
            row |= _summary(members, protocol)
            row |= {
                "parameters": members[0].parameters,
                "train_seconds": mean_known([r.train_seconds for r in members], 1),
                "peak_memory_mib": mean_known([r.peak_memory_mib for r in members], 0),
                "run_ids": ";".join(r.run_id for r in members),
            }
            row |= reported.get((dataset, method, protocol), {})
            rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def _summary(members: Sequence[Run], protocol: str) -> dict[str, Any]:
    row: dict[str, Any] = {}
    tables = [run.scores[run.scores.protocol == protocol] for run in members]
    row["pairs"] = int((tables[0].metric == "pmd_m2").sum())
    for column, (metric, factor) in _METRICS.items():
        means = np.array([table.value[table.metric == metric].mean() for table in tables]) * factor
        row[column] = six_digits(means.mean())
        row[f"{column}_ci95"] = six_digits(interval95(means))
    return row


def interval95(values: np.ndarray) -> float:
    """Half width of the 95 % Student-t interval of the mean; NaN for fewer than two values."""
    if len(values) < 2:
        return float("nan")
    return float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))


def markdown(table: pd.DataFrame) -> str:
    """The columns a reader looks at first, as a Markdown table."""
    head = [
        "dataset",
        "method",
        "protocol",
        "PMD (1e-4 m²)",
        "CD (1e-4 m²)",
        "MPVE (mm)",
        "edge error",
        "train (s)",
    ]
    lines = ["| " + " | ".join(head) + " |", "|---|---|---|" + "---:|" * 5]
    for row in table.itertuples():
        cells = [_cell(getattr(row, c), getattr(row, f"{c}_ci95")) for c in _METRICS]
        seconds = "–" if pd.isna(row.train_seconds) else f"{row.train_seconds:.0f}"
        lines.append("| " + " | ".join([row.dataset, row.method, row.protocol, *cells, seconds]) + " |")
    return "\n".join(lines) + "\n"


def _cell(value: float, half_width: float) -> str:
    return f"{value:.4g}" if pd.isna(half_width) else f"{value:.4g} ± {half_width:.2g}"


def _reported() -> dict[tuple[str, str, str], dict[str, Any]]:
    """Published numbers that were verified at their source; see `reported.csv` beside this file."""
    table = pd.read_csv(str(files("repose.tables").joinpath("reported.csv")))
    keys = ["dataset", "method", "protocol"]
    return {
        tuple(row[k] for k in keys): {k: row[k] for k in row if k not in keys}
        for row in table.to_dict("records")
    }


def mean_known(values: Sequence[float | None], digits: int) -> float | None:
    """Mean of what is known, None if nothing is."""
    known = [v for v in values if v is not None]
    return round(float(np.mean(known)), digits) if known else None


def six_digits(value: float) -> float:
    """A number as tables show it."""
    return float(f"{value:.6g}")
