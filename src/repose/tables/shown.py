"""The texts of a table that readers see, for both its Markdown and its LaTeX twin."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from repose.metrics.metric import Metric
from repose.tables.runs import HEADINGS, PLACE, cell, role_of

_COSTS = ("train_seconds", "predict_seconds", "predict_memory_mib")


class Shown(NamedTuple):
    """The texts of a table.

    Attributes:
        heads: headings of the columns.
        aligned: a letter for each column, `l` or `r`.
        rows: the cells of each row.
        roles: role of each row's method, see `repose.tables.runs.role_of`.
        notes: paragraphs below the table.
    """

    heads: Sequence[str]
    aligned: str
    rows: Sequence[Sequence[str]]
    roles: Sequence[str]
    notes: Sequence[str]


def shown(table: pd.DataFrame, metrics: Sequence[Metric]) -> Shown:
    """Return what methods are told, some metrics with their intervals, costs, and notes on which values are better.

    Args:
        table: one row per dataset, method and protocol, with the columns of `metrics`.
        metrics: the metrics, in the order of the columns.
    """
    first = [*PLACE, "told"]
    costs = [name for name in _COSTS if name in table]
    heads = [*first, *(metric.heading for metric in metrics), *(HEADINGS[name] for name in costs)]
    rows, roles = [], []
    for row in table.to_dict("records"):
        numbers = [cell(row[metric.column], row[f"{metric.column}_ci95"]) for metric in metrics]
        rows.append([*(row[p] for p in first), *numbers, *(_cost(row[name]) for name in costs)])
        roles.append(role_of(row["told"].split(", "), not pd.isna(row["train_seconds"])))
    aligned = "l" * len(first) + "r" * (len(heads) - len(first))
    return Shown(heads, aligned, rows, roles, [_which_is_better(metrics)])


def markdown(views: Sequence[Shown]) -> str:
    """Return tables and their notes below each other, as Markdown."""
    parts = ((markdown_table(view.heads, view.aligned, view.rows), *view.notes) for view in views)
    return "\n\n".join(itertools.chain(*parts)) + "\n"


def markdown_table(heads: Sequence[str], aligned: str, rows: Sequence[Sequence[str]]) -> str:
    """Return one table as Markdown, from the fields of `Shown`."""
    rule = "".join({"l": "---|", "r": "---:|"}[side] for side in aligned)
    head, *lines = (f"| {' | '.join(cells)} |" for cells in (heads, *rows))
    return "\n".join([head, f"|{rule}", *lines])


def _cost(value: float) -> str:
    """Format seconds or mebibytes: as integers, or with two digits below ten."""
    if pd.isna(value):
        return "–"
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _which_is_better(shown: Sequence[Metric]) -> str:
    sentences = []
    for better in ("lower", "higher", "near 1/2"):
        if titles := [metric.title for metric in shown if metric.better == better]:
            sentences.append(f"{better.capitalize()} is better: {', '.join(titles)}.")
    return " ".join(sentences)
