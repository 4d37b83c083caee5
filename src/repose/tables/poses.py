"""Tables of Neural Pose Representation's own protocol: transfers, and made-up poses, beside each other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from repose.tables.runs import COSTS, PLACE, Run, cell, markdown_table, mean_and_interval, summaries

# Column of the table: metric of the scores, factor. The first four, but for the edges, are of transfers alone.
_METRICS = {
    "pmd_e4": ("pmd_m2", 1e4),
    "cd_e4": ("cd_m2", 1e4),
    "mpve_mm": ("mpve_mm", 1),
    "edge_error": ("edge_error", 1),
    "coverage": ("coverage", 1),
    "mmd_e4": ("mmd_m2", 1e4),
    "one_nn_accuracy": ("one_nn_accuracy", 1),
    "spread_e4": ("spread_m2", 1e4),
    "to_training_e4": ("to_training_m2", 1e4),
    "real_to_training_e4": ("real_to_training_m2", 1e4),
    "render_fid": ("render_fid", 1),
    "render_kid": ("render_kid", 1),
    "render_accuracy": ("render_accuracy", 1),
    "real_render_accuracy": ("real_render_accuracy", 1),
}
COLUMNS = [
    *PLACE,
    "pairs",
    "bodies",
    "seeds",
    *(f"{m}{s}" for m in _METRICS for s in ("", "_ci95")),
    *COSTS,
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
    "render_fid": "RenderFID",
    "render_kid": "RenderKID",
    "render_accuracy": "RenderAcc",
}


def pose_table(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per dataset, method and protocol, in the order of `runs`.

    Means over triples, or over bodies of made-up poses, then over seeds. What a row has no scores of is empty.
    """
    return pd.DataFrame(list(summaries(runs, _summary)), columns=COLUMNS)


def _summary(scores: Sequence[pd.DataFrame]) -> dict[str, Any]:
    made_up = "identity" in scores[0]
    row: dict[str, Any] = {
        "pairs": None if made_up else int((scores[0].metric == "pmd_m2").sum()),
        "bodies": scores[0].identity.nunique() if made_up else None,
    }
    for column, (metric, factor) in _METRICS.items():
        means = np.array([table.value[table.metric == metric].mean() for table in scores])
        row |= mean_and_interval(column, means * factor)
    return row


def markdown(table: pd.DataFrame) -> str:
    """The columns a reader looks at first, as a Markdown table."""
    titles = list(_SHOWN.values())
    return markdown_table(table, titles, lambda row: [cell(row[c], row[f"{c}_ci95"]) for c in _SHOWN])
