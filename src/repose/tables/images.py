"""Tables of person images: datasets × methods × protocols, mean over seeds with 95 % intervals."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from repose.columns import PAIR
from repose.metrics.images import METRICS
from repose.tables.bootstrap import half_width95
from repose.tables.runs import (
    COSTS,
    PLACE,
    Run,
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


def reference(methods: Sequence[str]) -> str | None:
    """Return the method of a dataset whose scores all rows also use: the first one."""
    return methods[0]


def table(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per dataset, method and protocol, in the order of `runs`.

    `…_ci95` is the half width of the 95 % interval of the mean over seeds; `ssim_u7_pairs_ci95` of that over the
    outfits of the test pairs, seeds averaged (`over_outfits`). `ssim_u7_gain` is how much more a method has than the
    first one of its dataset, with its interval over the same outfits. What a method does not predict is empty. Of the
    published systems no value is verified (spec/intrinsic-flow.md), so that none stands here.

    Raises:
        ReposeError: some scores are of a metric that `repose.metrics.images` does not have.
    """
    firsts: dict[tuple[str, str], pd.Series] = {}
    rows = []
    for row in summaries(runs, METRICS, _counts):
        by_pair = row.pop("by_pair")
        first = firsts.setdefault((row["dataset"], row["protocol"]), by_pair)
        row[_OVER_PAIRS] = six_digits(over_outfits(by_pair))
        if len(gain := by_pair - first):
            found = gain.to_numpy().mean(), over_outfits(gain)
            row |= dict(zip(metric_columns([_GAIN]), map(six_digits, found), strict=True))
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def over_outfits(by_pair: pd.Series) -> float:
    """The interval of a mean over pairs, of which those that show one person in the same clothes are drawn together.

    Such pairs err alike, and share images: they are not as many independent ones (`repose.tables.bootstrap`). Who is
    shown, scores do not say, but pairs join the images of one outfit. There is no second level for targets, as for the
    poses of meshes, because an image belongs to one outfit: it would count the spread of single pairs up to three
    times.

    Args:
        by_pair: a value per (source_image, target_image).

    Returns:
        Half the width of the 95 % interval; NaN for fewer than two outfits.
    """
    names = by_pair.index.to_frame()[PAIR].to_numpy().T
    source, target = pd.factorize(names.ravel(), sort=True)[0].reshape(2, -1)
    joined = coo_array((np.ones(len(source)), (source, target)), shape=(2 * len(source),) * 2)
    outfits = connected_components(joined, directed=False)[1]
    return half_width95(by_pair, [pd.Series(outfits[source])])


def views(table: pd.DataFrame) -> list[Shown]:
    """Return the columns that a reader looks at first; columns that no method has are left out.

    The intervals of the first metric and of its gain are over outfits.
    """
    metrics = [_FIRST, _GAIN, *(metric for metric in METRICS[1:] if "images" in metric.shown_in)]
    over_pairs = table.assign(**{f"{_FIRST.column}_ci95": table[_OVER_PAIRS]})
    return [shown(over_pairs, [metric for metric in metrics if table[metric.column].notna().any()])]


def _counts(scores: Sequence[pd.DataFrame]) -> dict[str, Any]:
    first = pd.concat([rows[rows.metric == _FIRST.name] for rows in scores])
    return {"pairs": len(scores[0][PAIR].drop_duplicates()), "by_pair": first.groupby(PAIR).value.mean()}
