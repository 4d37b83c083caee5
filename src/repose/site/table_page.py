"""The content of the page of a table, and its overview."""

import math
from collections.abc import Sequence
from typing import Any

from repose.audit.audit import Row
from repose.metrics.metric import Metric
from repose.site.charts import Chart, scatter
from repose.site.facts import Facts, Table, commands, lineage
from repose.tables.runs import HEADINGS, PLACE, cell

_HIDDEN = {"run_ids", "reported_source"}  # columns of the CSV that the page shows in another way
_HEADINGS = {
    **HEADINGS,
    "pmd_e4_gain": "gain (1e-4 m²)",
    "reported_pmd_e4": "the paper's PMD (1e-4 m²)",
}


def table_page(table: Table, facts: Facts) -> dict[str, Any]:
    """Return the values of the template `table.html`."""
    metrics = {metric.column: metric for metric in table.metrics}
    columns = [c for c in table.columns if c not in _HIDDEN and not c.endswith("_ci95")]
    columns = [c for c in columns if c in PLACE or any(row.cells.get(c) for row in table.rows)]
    return {
        "table": table,
        "heads": [_head(column, metrics.get(column)) for column in columns],
        "rows": [_row(row, columns, table, facts) for row in table.rows],
        "data": _data(table),
        "charts": _compute(table),
    }


def best(table: Table, facts: Facts) -> list[dict[str, str]]:
    """Return for each dataset and protocol the best method, without baselines and oracles, by the first metric."""
    metric = next((m for m in table.metrics if m.better in ("lower", "higher")), None)
    if metric is None:
        return []
    column, sign = metric.column, 1 if metric.better == "lower" else -1
    found: dict[tuple[str, str], Row] = {}
    for row in table.rows:
        run = facts.runs.get(_who(row))
        if row.cells.get(column) and run and run.role == "method":
            before = found.setdefault(_where(row), row)
            if sign * float(row.cells[column]) < sign * float(before.cells[column]):
                found[_where(row)] = row
    return [
        row.key
        | {"number": _number(row, column), "metric": metric.heading, "told": row.cells.get("told", "")}
        for row in found.values()
    ]


def _head(column: str, metric: Metric | None) -> dict[str, Any]:
    title = metric.heading if metric else _HEADINGS.get(column, column.replace("_", " "))
    number = column not in (*PLACE, "told", "track")
    better = metric.better if metric else "higher" if column.endswith("_gain") else ""
    return {"column": column, "title": title, "better": better, "number": number}


def _row(row: Row, columns: Sequence[str], table: Table, facts: Facts) -> dict[str, Any]:
    run, cells = facts.runs.get(_who(row)), []
    for column in columns:
        text = (row.key | row.cells)[column]
        is_metric = f"{column}_ci95" in table.columns and text != ""
        cells.append(
            {
                "column": column,
                "value": text,
                "text": _number(row, column) if is_metric else text.removesuffix(".0") or "–",
                "bar": _bar(row, column, table) if is_metric else None,
            }
        )
    return {"key": row.key, "cells": cells, "role": run.role if run else "method", "note": _note(row)}


def _who(row: Row) -> tuple[str, str]:
    return row.key["dataset"], row.key["method"]


def _where(row: Row) -> tuple[str, str]:
    return row.key["dataset"], row.key["protocol"]


def _number(row: Row, column: str) -> str:
    return cell(float(row.cells[column]), float(row.cells.get(f"{column}_ci95") or "nan"))


def _bar(row: Row, column: str, table: Table) -> dict[str, float] | None:
    """Return the position of a number and its interval in their column, in percent; logarithmic if all are above 0."""
    known = [float(other.cells[column]) for other in table.rows if other.cells.get(column)]
    least, log = min(known), min(known) > 0

    def scale(x: float) -> float:
        return math.log10(max(x, least / 3)) if log else x

    bottom, top = scale(least), scale(max(known))
    if top == bottom:
        return None

    def place(x: float) -> float:
        return round(min(max((scale(x) - bottom) / (top - bottom), 0), 1) * 100, 1)

    value, width = float(row.cells[column]), float(row.cells.get(f"{column}_ci95") or 0)
    return {"at": place(value), "low": place(value - width), "high": place(value + width)}


def _note(row: Row) -> str:
    """Return why the paper's number differs from ours, if there is a number in the paper."""
    source = row.cells.get("reported_source", "")
    return (
        source
        and f"the paper's number is from {source}, of its data and training; ours of the settings as run."
    )


def _data(table: Table) -> dict[str, Any]:
    """Return the data with which the script of the page opens and copies numbers."""
    rows = [
        {"cells": row.key | row.cells, "branches": row.branches, "commands": commands(table, row)}
        for row in table.rows
    ]
    return {
        "table": table.name,
        "columns": table.columns,
        "latex": table.latex._asdict(),
        "rows": rows,
        "inputs": {name: node.place for name, node in table.root.parents.items()},
        "root": table.root.place,
        "nodes": lineage(table),
    }


def _compute(table: Table) -> list[Chart]:
    """Return charts of seconds of training against the first metric, for each dataset and protocol."""
    charts: list[Chart] = []
    if not table.metrics or "train_seconds" not in table.columns:
        return charts
    metric = table.metrics[0]
    known = [row for row in table.rows if row.cells["train_seconds"] and row.cells.get(metric.column)]
    for place in dict.fromkeys(map(_where, table.rows)):
        points = [
            (row.key["method"], float(row.cells["train_seconds"]), float(row.cells[metric.column]))
            for row in known
            if _where(row) == place
        ]
        if chart := scatter(", ".join(place), HEADINGS["train_seconds"], metric.heading, points):
            charts.append(chart)
    return charts
