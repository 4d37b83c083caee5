"""Tables of person images: datasets × methods × protocols, mean over seeds with 95 % intervals."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from repose.metrics.images import METRICS
from repose.tables.runs import (
    COSTS,
    PLACE,
    Run,
    interval95,
    mean_and_interval,
    metric_columns,
    six_digits,
    summaries,
)
from repose.tables.shown import Shown, shown

_FIRST = METRICS[0]
_GAIN = replace(_FIRST, column=f"{_FIRST.column}_gain", title="gain")
_OVER_PAIRS = f"{_FIRST.column}_pairs_ci95"
COLUMNS = [
    *PLACE,
    "told",
    "pairs",
    "seeds",
    *metric_columns(METRICS),
    _OVER_PAIRS,
    *metric_columns([_GAIN]),
    *COSTS,
    "run_ids",
]
_PAIR = ["source_image", "target_image"]


def reference(methods: Sequence[str]) -> str | None:
    """Return the method of a dataset whose scores all rows also use: the first one."""
    return methods[0]


def table(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per dataset, method and protocol, in the order of `runs`.

    `…_ci95` is the half width of the 95 % interval of the mean over seeds; `ssim_u7_pairs_ci95` of that over the
    test pairs, seeds averaged. `ssim_u7_gain` is how much more a method has than the first one of its dataset, with
    its interval over the same pairs. What a method does not predict is empty. Of the published systems no value is
    verified (spec/intrinsic-flow.md), so that none stands here.

    Raises:
        ReposeError: some scores are of a metric that `repose.metrics.images` does not have.
    """
    firsts: dict[tuple[str, str], pd.Series] = {}
    rows = []
    for row in summaries(runs, METRICS, _counts):
        by_pair = row.pop("by_pair")
        first = firsts.setdefault((row["dataset"], row["protocol"]), by_pair)
        gain = (by_pair - first).to_numpy()
        row[_OVER_PAIRS] = six_digits(interval95(by_pair.to_numpy()))
        row |= mean_and_interval(_GAIN.column, gain) if len(gain) else {}
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def views(table: pd.DataFrame) -> list[Shown]:
    """Return the columns that a reader looks at first; columns that no method has are left out.

    The intervals of the first metric and of its gain are over pairs.
    """
    metrics = [_FIRST, _GAIN, *(metric for metric in METRICS[1:] if "images" in metric.shown_in)]
    over_pairs = table.assign(**{f"{_FIRST.column}_ci95": table[_OVER_PAIRS]})
    return [shown(over_pairs, [metric for metric in metrics if table[metric.column].notna().any()])]


def _counts(scores: Sequence[pd.DataFrame]) -> dict[str, Any]:
    first = pd.concat([rows[rows.metric == _FIRST.name] for rows in scores])
    return {"pairs": len(scores[0][_PAIR].drop_duplicates()), "by_pair": first.groupby(_PAIR).value.mean()}
