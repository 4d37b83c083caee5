"""Tables of Neural Pose Representation's own protocol: transfers, and made-up poses, beside each other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from repose.tables.transfer import Run, interval95, mean_known, six_digits, transfer_table

# Column of the table: metric of the scores, factor.
_METRICS = {
    "coverage": ("coverage", 1),
    "mmd_e4": ("mmd_m2", 1e4),
    "one_nn_accuracy": ("one_nn_accuracy", 1),
    "spread_e4": ("spread_m2", 1e4),
    "to_training_e4": ("to_training_m2", 1e4),
    "real_to_training_e4": ("real_to_training_m2", 1e4),
}
COLUMNS = [
    "dataset",
    "method",
    "protocol",
    "pairs",
    "bodies",
    "seeds",
    *(f"{m}{s}" for m in ("pmd_e4", "cd_e4", "mpve_mm", "edge_error", *_METRICS) for s in ("", "_ci95")),
    "parameters",
    "train_seconds",
    "peak_memory_mib",
    "run_ids",
]
_SHOWN = {
    "pmd_e4": "PMD (1e-4 m²)",
    "edge_error": "edge error",
    "coverage": "COV",
    "mmd_e4": "MMD (1e-4 m²)",
    "one_nn_accuracy": "1-NNA",
    "spread_e4": "spread (1e-4 m²)",
    "to_training_e4": "to training (1e-4 m²)",
}


def pose_table(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per dataset, method and protocol, in the order of `runs`.

    Rows of transfers have the columns of `transfer_table`, rows of made-up poses those of sets: each the mean over
    bodies, then over seeds, with the half width of its 95 % interval over seeds.
    """
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.dataset, run.method), []).append(run)
    parts = [transfer_table(m) if "pose_mesh" in m[0].scores else _of_sets(m) for m in groups.values()]
    rows = [row for part in parts for row in part.to_dict("records")]
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_sets(members: Sequence[Run]) -> pd.DataFrame:
    rows = []
    for protocol in members[0].scores.protocol.unique():
        tables = [run.scores[run.scores.protocol == protocol] for run in members]
        row: dict[str, Any] = {
            "dataset": members[0].dataset,
            "method": members[0].method,
            "protocol": protocol,
        }
        row |= {"bodies": tables[0].identity.nunique(), "seeds": len(members)}
        for column, (metric, factor) in {**_METRICS, "edge_error": ("edge_error", 1)}.items():
            means = np.array([table.value[table.metric == metric].mean() for table in tables]) * factor
            row |= {column: six_digits(means.mean()), f"{column}_ci95": six_digits(interval95(means))}
        row |= {
            "parameters": members[0].parameters,
            "train_seconds": mean_known([r.train_seconds for r in members], 1),
            "peak_memory_mib": mean_known([r.peak_memory_mib for r in members], 0),
            "run_ids": ";".join(r.run_id for r in members),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def markdown(table: pd.DataFrame) -> str:
    """The columns a reader looks at first, as a Markdown table."""
    head = ["dataset", "method", "protocol", *_SHOWN.values(), "train (s)"]
    lines = ["| " + " | ".join(head) + " |", "|---|---|---|" + "---:|" * (len(_SHOWN) + 1)]
    for row in table.to_dict("records"):
        cells = [_cell(row, metric) for metric in _SHOWN]
        seconds = "–" if pd.isna(row["train_seconds"]) else f"{row['train_seconds']:.0f}"
        cells = [row["dataset"], row["method"], row["protocol"], *cells, seconds]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(row: dict[Any, Any], metric: str) -> str:
    value, width = row[metric], row[f"{metric}_ci95"]
    if pd.isna(value):
        return "–"
    return f"{value:.4g}" if pd.isna(width) else f"{value:.4g} ± {width:.2g}"
