"""Tables of Neural Pose Representation's own protocol, with transfers and generated poses side by side."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from repose.metrics import meshes, poses, renders
from repose.metrics.metric import Metric
from repose.tables.meshes import over_clusters
from repose.tables.runs import COSTS, PLACE, Run, metric_columns, over_seeds, summaries
from repose.tables.shown import Shown, shown

DATA = ("reported_npr.csv",)
"""Files beside this one that are read: the paper's tables 1 and 2 as printed, and means of cells of its appendix."""

# A metric of both transfers and generated poses, such as the edge error, has a single column.
METRICS = tuple({m.name: m for m in (*meshes.METRICS, *poses.METRICS, *renders.METRICS)}.values())
COLUMNS = [
    *PLACE,
    "told",
    "pairs",
    "bodies",
    "seeds",
    *metric_columns(METRICS),
    *COSTS,
    "run_ids",
]
_NOTE = """\
Reported by the paper (Yoo et al., NeurIPS 2024), on its own data and by scorers that it does not describe: not to be
compared with the numbers above. Every number of its table 2 is 0.9 times the mean of the 72 cells of its own appendix
that it stands for; the mean itself is in parentheses."""


def reference(methods: Sequence[str]) -> str | None:
    """Return None: no row uses the scores of another method."""
    return None


def table(runs: Sequence[Run]) -> pd.DataFrame:
    """Return one row per dataset, method and protocol, in the order of `runs`.

    Values are means over triples, or over bodies of generated poses, then over seeds, with half widths of 95 %
    intervals: for triples as in tables of meshes, for generated poses over seeds. A cell without scores is empty.

    Raises:
        ReposeError: some scores are of a metric that the table does not know.
    """
    return pd.DataFrame(list(summaries(runs, METRICS, _counts, _interval)), columns=COLUMNS)


def views(table: pd.DataFrame) -> list[Shown]:
    """Return the columns that a reader looks at first, and the published ones below."""
    own = shown(table, [metric for metric in METRICS if "poses" in metric.shown_in])
    return [own._replace(notes=[*own.notes, _NOTE]), _published()]


def _interval(metric: Metric, scores: Sequence[pd.DataFrame]) -> float:
    of_transfers = "identity" not in scores[0] and metric.name in {m.name for m in meshes.METRICS}
    return over_clusters(metric, scores) if of_transfers else over_seeds(metric, scores)


def _counts(scores: Sequence[pd.DataFrame]) -> dict[str, Any]:
    if "identity" in scores[0]:  # generated poses
        return {"pairs": None, "bodies": scores[0].identity.nunique()}
    return {"pairs": int((scores[0].metric == meshes.METRICS[0].name).sum()), "bodies": None}


def reported() -> pd.DataFrame:
    """Return the paper's tables 1 and 2 as printed, and the means of the cells of its appendix behind table 2."""
    return pd.read_csv(str(files("repose.tables").joinpath(*DATA)))


def _published() -> Shown:
    heads = [
        "paper's table",
        "method",
        "poses",
        "data",
        "FID (1e-2)",
        "KID (1e-2)",
        "accuracy (%)",
        "PMD (1e-3)",
    ]
    rows = []
    for row in reported().to_dict("records"):
        cells = [_with_mean(row[c], row[f"{c}_of_cells"]) for c in ("fid_e2", "kid_e2", "accuracy")]
        place = (str(row[c]) for c in ("table", "method", "poses", "data"))
        rows.append([*place, *cells, _with_mean(row["pmd_e3"], np.nan)])
    return Shown(heads, "rlllrrrr", rows, [""] * len(rows), [])


def _with_mean(printed: float, of_cells: float) -> str:
    if pd.isna(printed):
        return "–"
    return f"{printed:.2f}" if pd.isna(of_cells) else f"{printed:.2f} ({of_cells:.4g})"
