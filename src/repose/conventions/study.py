"""Rankings under conventions: values, ranks and their intervals, Kendall's τ, pairs that swap, claims that hold.

Predictions of one list share triples, and triples share identities and poses. So identities and poses are resampled
(`repose.tables.bootstrap`), with the same draws for all methods, so that differences between two methods are paired.
The seeds of each method are a third level, resampled independently.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import kendalltau, rankdata

from repose.conventions.known import CLAIMED, CONVENTIONS, REFERENCE, Convention
from repose.tables.bootstrap import weights
from repose.tables.runs import six_digits

Float = NDArray[np.float64]
INTERVAL = [0.025, 0.975]


@dataclass(frozen=True)
class List:
    """The measures of the predictions of one list.

    Attributes:
        dataset, protocol: name of the list.
        triples: column truth_mesh, and the identity and pose of each truth, a row per triple.
        measured: values (seeds, triples) of each measure, by method.
    """

    dataset: str
    protocol: str
    triples: pd.DataFrame
    measured: Mapping[str, Mapping[str, Float]]

    @property
    def methods(self) -> list[str]:
        """The methods in the order of the table."""
        return list(self.measured)

    @cached_property
    def values(self) -> dict[str, Float]:
        """The number of each method (methods,), by convention."""
        return {c.code: np.array([self._value(c, m) for m in self.methods]) for c in CONVENTIONS}

    @cached_property
    def drawn(self) -> dict[str, Float]:
        """The same for each draw (draws, methods)."""
        return {
            c.code: np.stack([self._drawn(c, number) for number in range(len(self.methods))], axis=1)
            for c in CONVENTIONS
        }

    def _value(self, convention: Convention, method: str) -> float:
        found = self.measured[method][convention.measure]
        if convention.middle == "median":
            return float(np.median(found, axis=1).mean())
        return float(np.average(found.mean(axis=0), weights=self._counts(convention)))

    def _drawn(self, convention: Convention, number: int) -> Float:
        found = self.measured[self.methods[number]][convention.measure]
        drawn = self._weights * self._counts(convention)
        if convention.middle == "median":
            of_seeds = np.stack([_medians(row, drawn) for row in found], axis=1)
        else:
            of_seeds = drawn @ found.T / drawn.sum(axis=1, keepdims=True)
        seeds = len(found)
        chosen = np.random.default_rng([1, number]).multinomial(seeds, np.full(seeds, 1 / seeds), len(drawn))
        return (of_seeds * chosen).sum(axis=1) / seeds

    @property
    def has_intervals(self) -> bool:
        """Whether resampling is possible: there is more than one identity, or pose."""
        return bool(self.triples[["identity", "pose"]].nunique().max() > 1)

    @cached_property
    def _weights(self) -> Float:
        """Return the weight of each triple in each draw, (draws, triples)."""
        return weights([self.triples.identity, self.triples.pose])

    def _counts(self, convention: Convention) -> Float:
        """Return the weight of each triple, (triples,); triples of one truth, or identity, share its weight."""
        if convention.over == "pairs":
            return np.ones(len(self.triples))
        column = self.triples.truth_mesh if convention.over == "truths" else self.triples.identity
        return 1 / column.map(column.value_counts()).to_numpy(float)


def _medians(
    values: Float,  # (triples,)
    weights: Float,  # (draws, triples)
) -> Float:  # (draws,)
    """Return the weighted median of each draw: half of the weight lies on either side."""
    rising = np.argsort(values, kind="stable")
    share = np.cumsum(weights[:, rising], axis=1) / weights.sum(axis=1, keepdims=True)
    low, high = ((share < 0.5 - 1e-9).sum(axis=1), (share < 0.5 + 1e-9).sum(axis=1))
    return (values[rising][low] + values[rising][np.minimum(high, len(values) - 1)]) / 2


def ranking(lists: Sequence[List]) -> pd.DataFrame:
    """Return the number, the rank, and the 95 % interval of the rank of each method, by list and convention."""
    rows = []
    for one, c in product(lists, CONVENTIONS):
        ranks = rankdata(one.values[c.code], method="min")
        low, high = _rank_intervals(one, c.code)
        for k, method in enumerate(one.methods):
            numbers = six_digits(one.values[c.code][k]), int(ranks[k]), int(low[k]), int(high[k])
            shape = one.measured[method][c.measure].shape
            rows.append([one.dataset, one.protocol, c.code, c.title, method, *numbers, c.metric.unit, *shape])
    place = ["dataset", "protocol", "convention", "title", "method"]
    columns = [*place, "value", "rank", "rank_low", "rank_high", "unit", "seeds", "pairs"]
    return pd.DataFrame(rows, columns=columns)


def _rank_intervals(one: List, code: str) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Return the lowest and highest rank of each method, (methods,); the full range if nothing can be resampled."""
    count = len(one.methods)
    if not one.has_intervals:
        return np.ones(count, int), np.full(count, count)
    ranks = rankdata(one.drawn[code], method="min", axis=1)
    low, high = np.quantile(ranks, INTERVAL, axis=0, method="closest_observation")
    return low.astype(int), high.astype(int)


def taus(lists: Sequence[List]) -> pd.DataFrame:
    """Return Kendall's τ-b between the rankings of any two conventions, by list."""
    rows = []
    for one, (a, b) in product(lists, combinations(CONVENTIONS, 2)):
        tau = kendalltau(one.values[a.code], one.values[b.code]).statistic
        rows.append([one.dataset, one.protocol, a.code, b.code, six_digits(tau)])
    return pd.DataFrame(rows, columns=["dataset", "protocol", "convention", "other", "tau"])


def swaps(lists: Sequence[List]) -> pd.DataFrame:
    """Return pairs of methods whose order differs between the reference and another convention.

    `gap` is the second method's value minus the first's in the unit of the reference, and `other_gap` in that of the
    other convention, both with their 95 % intervals. `clear` means that neither interval contains 0.
    """
    rows = []
    for one, c in product(lists, CONVENTIONS[1:]):
        value = one.values[c.code]
        for a, b in _pairs(one):
            if value[b] < value[a]:
                gap, other = _gap(one, REFERENCE.code, a, b), _gap(one, c.code, a, b)
                clear = gap[1] > 0 and other[2] < 0
                place = one.dataset, one.protocol, c.code, one.methods[a], one.methods[b]
                rows.append([*place, *map(six_digits, (*gap, *other)), clear])
    gaps = [f"{name}{end}" for name in ("gap", "other_gap") for end in ("", "_low", "_high")]
    columns = ["dataset", "protocol", "convention", "better", "worse", *gaps, "clear"]
    return pd.DataFrame(rows, columns=columns)


def between_lists(lists: Sequence[List]) -> pd.DataFrame:
    """Return Kendall's τ-b between the rankings of any two lists of a dataset, under the reference (C17).

    `swapped` counts the pairs of methods whose order differs, and `clear` those for which neither 95 % interval of the
    gap contains 0.
    """
    rows = []
    for one, other in combinations(lists, 2):
        if one.dataset != other.dataset:
            continue
        a, b = one.values[REFERENCE.code], other.values[REFERENCE.code]
        swapped = [(x, y) for x, y in _pairs(one) if b[y] < b[x]]
        clear = sum(
            _gap(one, REFERENCE.code, x, y)[1] > 0 > _gap(other, REFERENCE.code, x, y)[2] for x, y in swapped
        )
        tau = six_digits(kendalltau(a, b).statistic)
        rows.append([one.dataset, one.protocol, other.protocol, tau, len(swapped), clear])
    return pd.DataFrame(rows, columns=["dataset", "protocol", "other", "tau", "swapped", "clear"])


def claims(lists: Sequence[List]) -> pd.DataFrame:
    """Return for any two methods whether the one that the reference prefers is better under all of `CLAIMED`.

    It is better if no 95 % interval of a gap contains 0; otherwise the two are tied.
    """
    rows = []
    for one in lists:
        for a, b in _pairs(one):
            lows = {code: _gap(one, code, a, b)[1] for code in CLAIMED}
            against = [code for code, low in lows.items() if not low > 0]
            names = one.methods[a], one.methods[b]
            rows.append([one.dataset, one.protocol, *names, not against, ";".join(against)])
    return pd.DataFrame(rows, columns=["dataset", "protocol", "better", "worse", "holds", "tied_under"])


def _pairs(one: List) -> list[tuple[int, int]]:
    """Return the numbers of any two methods, the one preferred by the reference first, or else in table order."""
    best_first = np.argsort(one.values[REFERENCE.code], kind="stable").tolist()
    return list(combinations(best_first, 2))


def _gap(one: List, code: str, a: int, b: int) -> tuple[float, float, float]:
    """Return the second method's value minus the first's, and its 95 % interval."""
    gap = float(one.values[code][b] - one.values[code][a])
    if not one.has_intervals:
        return gap, float("nan"), float("nan")
    low, high = np.quantile(one.drawn[code][:, b] - one.drawn[code][:, a], INTERVAL)
    return gap, float(low), float(high)
