"""Intervals of means over items that share identities and poses, and seeds that share items.

Triples of one identity, or of one pose, err alike, so they are not as many independent items as they are rows. All
levels are drawn anew with replacement, each on its own, and an item counts as often as its levels were drawn together
(the pigeonhole bootstrap: Owen, Annals of Applied Statistics 1(2), 2007). That holds for one seed, too, whose interval
then says nothing of what another seed would give.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DRAWS = 2000


def half_width95(
    values: pd.Series,
    levels: Sequence[pd.Series],
) -> float:
    """Half the width of the 95 % percentile interval of the mean; NaN for values of fewer than two of every level.

    Args:
        values: (items,) the values.
        levels: for each level, such as identity, pose and seed, which one an item is of, (items,).
    """
    weights = np.ones((DRAWS, len(values)))
    rng = np.random.default_rng(0)
    drawn = False
    for level in levels:
        numbers, names = pd.factorize(level, sort=True)
        if len(names) > 1:
            weights *= rng.multinomial(len(names), np.full(len(names), 1 / len(names)), DRAWS)[:, numbers]
            drawn = True
    return _half_width(weights, values.to_numpy(float)) if drawn else float("nan")


def _half_width(weights: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    totals = weights.sum(axis=1)
    seen = totals > 0  # a draw may have no item whose every level was drawn
    low, high = np.quantile((weights[seen] @ values) / totals[seen], [0.025, 0.975])
    return float(high - low) / 2
