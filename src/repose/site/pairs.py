"""Test pairs: the scores of each method on them, and which of them the site shows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from repose.columns import PAIR, TRIPLE
from repose.medium import Medium, module_of
from repose.metrics.metric import Metric
from repose.reading import read_rows
from repose.report.shown import spread
from repose.tables.runs import six_digits

NAMES: dict[Medium, list[str]] = {"meshes": TRIPLE, "images": PAIR}
"""Columns of the scores that say which pair a row is of."""


@dataclass
class Pairs:
    """The test pairs of one method on one protocol.

    Attributes:
        items: names of identity, pose and truth of every pair of meshes; of source and target of every pair of images.
        metrics: metrics that were measured pair by pair, in the order of tables.
        values: value of every pair, by name of the metric; None if it could not be measured.
        shown: content of the site for a pair, by its number: the address of the predicted body; or titles and addresses
            of the images that are `given` and `drawn`.
    """

    items: list[list[str]]
    metrics: list[Metric]
    values: dict[str, list[float | None]]
    shown: dict[int, Any] = field(default_factory=dict)

    @property
    def ranked_by(self) -> Metric | None:
        """The first metric with a better direction; None if there is none."""
        return next((metric for metric in self.metrics if metric.better in ("lower", "higher")), None)

    @property
    def ranked(self) -> list[int]:
        """Return the numbers of the pairs, the best first; those without a value are last."""
        metric = self.ranked_by
        if metric is None:
            return list(range(len(self.items)))
        sign = 1 if metric.better == "lower" else -1
        keys = [math.inf if v is None else sign * v for v in self.values[metric.name]]
        return sorted(range(len(keys)), key=keys.__getitem__)

    def chosen(self, common: int | None) -> list[int]:
        """Return which pairs are shown: some shown for all methods, and this one's best, median and worst."""
        count, ranked = len(self.items), self.ranked
        if common is None or not count:
            return list(range(count))
        return sorted({*spread(count, common), ranked[0], ranked[count // 2], ranked[-1]})


def scored(scores: Path) -> dict[str, pd.DataFrame]:
    """Return the scores of a method, one row per pair and metric, by protocol in their order."""
    rows = read_rows(scores, "not a table of scores")
    return {str(name): rows[rows.protocol == name] for name in rows.protocol.unique()}


def pairs_of(rows: pd.DataFrame, items: list[list[str]], medium: Medium) -> Pairs:
    """Return the pairs of one protocol, from its scores.

    Args:
        rows: rows of `scored`.
        items: names of each pair, in the order of the predictions.
    """
    values = dict(_values(rows, items, NAMES[medium]))
    known = (
        m for m in module_of("repose.metrics", medium).METRICS if m.name in values and medium in m.shown_in
    )
    metrics = [metric for metric in known if _is_of_pairs(metric)]
    return Pairs(items, metrics, {metric.name: values[metric.name] for metric in metrics})


def _is_of_pairs(metric: Metric) -> bool:
    """Return whether the number of a table is the mean over pairs; an Inception score, for instance, is not."""
    return type(metric).number is Metric.number


def _values(
    rows: pd.DataFrame, items: Sequence[Sequence[str]], names: list[str]
) -> Iterator[tuple[str, list[float | None]]]:
    """Yield the values of each metric, in the order of the items, to six digits."""
    for metric, found in rows.groupby("metric", sort=False):
        by_item: Mapping[Any, float] = found.set_index(names).value.to_dict()
        values = (by_item.get(tuple(item), math.nan) for item in items)
        yield str(metric), [six_digits(value) if math.isfinite(value) else None for value in values]
