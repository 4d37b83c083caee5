"""Confidence intervals of means over items that share identities and poses, and seeds that share items.

Triples of one identity, or of one pose, have correlated errors, so they are fewer independent items than rows. All
levels are resampled with replacement, each independently, and an item's weight is the number of times that its levels
were drawn together (the pigeonhole bootstrap: Owen, Annals of Applied Statistics 1(2), 2007). This also works for a
single seed, whose interval then does not cover the variation between seeds.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DRAWS = 2000


def half_width95(
    values: pd.Series,
    levels: Sequence[pd.Series],
) -> float:
    """Return half the width of the 95 % percentile interval of the mean; NaN if every level has fewer than two values.

    Args:
        values: (items,) the values.
        levels: for each level, such as identity, pose and seed, the value of each item, (items,).
    """
    codes = _codes(levels)
    if not codes.any():
        return float("nan")
    drawn, totals = _weights(codes.tobytes(), len(levels))
    low, high = np.quantile(drawn @ values.to_numpy(float) / totals, [0.025, 0.975])
    return float(high - low) / 2


def weights(levels: Sequence[pd.Series]) -> NDArray[np.float64]:
    """Return the weight of each item in each draw, (draws, items); the levels are as above."""
    return _weights(_codes(levels).tobytes(), len(levels))[0]


def _codes(levels: Sequence[pd.Series]) -> NDArray[np.int64]:  # (levels, items)
    return np.stack([pd.factorize(level, sort=True)[0] for level in levels]).astype(np.int64)


@lru_cache(maxsize=2)  # all metrics of all methods on one list of triples have the same weights
def _weights(
    codes: bytes,  # (levels, items) int64: the number of each item's value, for each level
    levels: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weight of each item in each draw, (draws, items), and the sums of these, (draws,)."""
    rng = np.random.default_rng(0)
    numbers = np.frombuffer(codes, np.int64).reshape(levels, -1)
    weights = np.ones((DRAWS, numbers.shape[1]))
    for level in numbers:
        count = level.max() + 1
        weights *= rng.multinomial(count, np.full(count, 1 / count), DRAWS)[:, level]
    totals = weights.sum(axis=1)
    seen = totals > 0  # in a draw, possibly no item has all its levels drawn
    return weights[seen], totals[seen]
