"""Tables of Neural Pose Representation's own protocol: transfers, and made-up poses, beside each other."""

from collections.abc import Sequence
from importlib.resources import files
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


_NOTE = """\
Reported by the paper (Yoo et al., NeurIPS 2024), on its own data and by scorers that it does not describe: not to be
compared with the numbers above. Every number of its table 2 is 0.9 times the mean of the 72 cells of its own appendix
that it stands for; the mean itself is in parentheses.
"""


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
    """The columns a reader looks at first, as a Markdown table, and the published ones below."""
    titles = list(_SHOWN.values())
    own = markdown_table(table, titles, lambda row: [cell(row[c], row[f"{c}_ci95"]) for c in _SHOWN])
    return f"{own}\n{_NOTE}\n{_published()}"


def reported() -> pd.DataFrame:
    """The paper's tables 1 and 2 as printed, and the means of the cells of its appendix that table 2 is made from."""
    return pd.read_csv(str(files("repose.tables").joinpath("reported_npr.csv")))


def _published() -> str:
    lines = [
        "| paper's table | method | poses | data | FID (1e-2) | KID (1e-2) | accuracy (%) | PMD (1e-3) |"
    ]
    lines.append("|---:|---|---|---|---:|---:|---:|---:|")
    for row in reported().to_dict("records"):
        cells = [_with_mean(row[c], row[f"{c}_of_cells"]) for c in ("fid_e2", "kid_e2", "accuracy")]
        place = (str(row[c]) for c in ("table", "method", "poses", "data"))
        lines.append("| " + " | ".join([*place, *cells, _with_mean(row["pmd_e3"], np.nan)]) + " |")
    return "\n".join(lines) + "\n"


def _with_mean(printed: float, of_cells: float) -> str:
    if pd.isna(printed):
        return "–"
    return f"{printed:.2f}" if pd.isna(of_cells) else f"{printed:.2f} ({of_cells:.4g})"
