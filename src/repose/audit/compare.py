"""Compare two folders of results: what differs, and how that changed each number of their tables."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from repose.audit.audit import KEYS, metrics_of
from repose.audit.public import flat, text
from repose.audit.tree import Node, grow
from repose.errors import ReposeError
from repose.metrics.metric import Metric
from repose.provenance.listing import check_file
from repose.provenance.manifest import load, manifest_path
from repose.tables.runs import MEASURED

ABSENT = "–"


@dataclass(frozen=True)
class Difference:
    """A difference in how one artefact was made in the two folders."""

    artefact: str
    what: str  # `code`, `seed`, `params.method.width`, `software.torch`, `bytes`, …
    a: str
    b: str


@dataclass(frozen=True)
class Number:
    """One cell that differs between the folders.

    Args:
        table: file name of the table.
        row: dataset, method and protocol.
        column: column of the table.
        a, b: the numbers; None if there is none.
        better: whether `b` is better than `a`; None if the column is no metric, or has no better direction.
        causes: the differences in how the row was made.
    """

    table: str
    row: dict[str, str]
    column: str
    a: float | None
    b: float | None
    better: bool | None
    causes: list[Difference]


@dataclass(frozen=True)
class Comparison:
    """The differences, and the cells that differ; `alike` counts the equal cells."""

    differences: list[Difference]
    numbers: list[Number]
    alike: int


def compare(a: Path, b: Path) -> Comparison:
    """Compare all tables that both folders of results have, by manifests: nothing is hashed but the tables.

    Raises:
        ReposeError: there is no such folder, they have no table in common, or one is not what its manifest says.
    """
    for folder in (a, b):
        if not folder.is_dir():
            raise ReposeError("no such folder", where=folder, hint="give two folders of results")
    names = sorted(_tables(a) & _tables(b))
    if not names:
        raise ReposeError(f"no table in common with {b}", where=a, hint="give two folders of results")
    differences: dict[Difference, None] = {}
    numbers: list[Number] = []
    alike = 0
    for name in names:
        trees = [_tree(folder / name) for folder in (a, b)]
        nodes = [{node.place: node for node in tree.walk()} for tree in trees]
        own = {
            place: list(_own(place, nodes[0].get(place), nodes[1].get(place)))
            for place in sorted(nodes[0].keys() | nodes[1].keys())
        }
        differences |= dict.fromkeys(d for found in own.values() for d in found)
        histories = [tree.manifest.history for tree in trees if tree.manifest]
        metrics = {metric.column: metric for history in histories for metric in metrics_of(history)}
        for row, column, left, right in _cells(a / name, b / name):
            if left == right or (pd.isna(left) and pd.isna(right)):
                alike += 1
            else:
                behind = {node.place for tree in trees for node in _behind(tree, row)}
                causes = [d for place, found in own.items() if place in behind for d in found]
                ends = _number(left), _number(right)
                numbers.append(
                    Number(name, row, column, *ends, _is_better(metrics.get(column), *ends), causes)
                )
    return Comparison(list(differences), numbers, alike)


def show(found: Comparison, console: Console) -> None:
    """Print what differs, then each number that changed with its causes."""
    if not found.differences:
        console.print("Made in the same way from the same data.")
    for what, places in _grouped(found.differences).items():
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        console.print(f"[bold]{escape(what)}[/] [dim]({escape(places[0])}{more})[/]")
    table = Table("table", "row", "number", "A", "B", "change", "because of")
    for number in found.numbers:
        causes = ", ".join(sorted({_short(c) for c in number.causes})) or "nothing that is known"
        cells = (_text(number.a), _text(number.b), _change(number), escape(causes))
        table.add_row(number.table, " ".join(number.row.values()), number.column, *cells)
    if found.numbers:
        console.print(table)
    console.print(f"{len(found.numbers)} numbers differ, {found.alike} are the same (costs left out).")


def _tables(results: Path) -> set[str]:
    return {p.name for p in results.glob("*.csv") if manifest_path(p).exists()}


def _tree(table: Path) -> Node:
    """The artefacts behind a table, which must be the one that its manifest states."""
    manifest = manifest_path(table)
    if (stated := load(manifest).content["files"].get(table.name)) is None:
        raise ReposeError(f"its manifest {manifest.name} does not name it", table, "run the workflow again")
    check_file(manifest, table.name, stated)
    return grow(manifest, hashed=False)


def _own(place: str, a: Node | None, b: Node | None) -> Iterator[Difference]:
    """Yield the differences in how one artefact was made, apart from its inputs."""
    left, right = (node.manifest if node else None for node in (a, b))
    if left is None or right is None:
        yield Difference(place, "present", *("no" if m is None else "yes" for m in (left, right)))
        return
    before = 0
    for what in ("code", "seed", "params", "software"):
        sides = [{k: text(v) for k, v in flat({what: m.history[what]})} for m in (left, right)]
        for key in sorted(sides[0].keys() | sides[1].keys()):
            values = [side.get(key, ABSENT) for side in sides]
            if values[0] != values[1]:
                before += 1
                yield Difference(place, key, *values)
    same_inputs = left.history["inputs"] == right.history["inputs"]
    if left.digest != right.digest and same_inputs and not before:
        machines = [json.dumps(m.history["machine"], sort_keys=True) for m in (left, right)]
        yield Difference(place, "bytes, though made in the same way", *machines)


def _is_better(metric: Metric | None, a: float | None, b: float | None) -> bool | None:
    return None if metric is None or a is None or b is None else metric.is_improved(a, b)


def _cells(a: Path, b: Path) -> Iterator[tuple[dict[str, str], str, Any, Any]]:
    """Yield (row, column, value in a, value in b) for every number but costs; None if a table lacks that column."""
    tables = [pd.read_csv(path) for path in (a, b)]
    keys = [k for k in KEYS if all(k in table for table in tables)]
    both = tables[0].merge(tables[1], on=keys, how="outer", suffixes=("", "\0"))
    for column in dict.fromkeys(str(name) for table in tables for name in table):
        there = [table for table in tables if column in table]
        if column in (*keys, *MEASURED) or not all(is_numeric_dtype(table[column]) for table in there):
            continue
        names = (column, f"{column}\0") if len(there) == 2 else (column, column)
        for row in both.to_dict("records"):
            left, right = (row[n] if column in t else None for n, t in zip(names, tables, strict=True))
            yield {k: str(row[k]) for k in keys}, column, left, right


def _behind(tree: Node, row: Mapping[str, str]) -> Iterator[Node]:
    run = f":{row.get('dataset')}/{row.get('method')}/"
    yield tree
    for name, parent in tree.parents.items():
        if run in name:
            yield from parent.walk()


def _grouped(differences: list[Difference]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for d in differences:
        what = f"{d.artefact.split('/')[0].removesuffix('.manifest.json')}: {d.what}: {d.a} → {d.b}"
        grouped.setdefault(what, []).append(d.artefact.removesuffix(".manifest.json"))
    return grouped


def _short(difference: Difference) -> str:
    return f"{difference.artefact.split('/')[0].removesuffix('.manifest.json')} {difference.what}"


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _text(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.6g}"


def _change(number: Number) -> str:
    if number.a is None or number.b is None or number.a == 0:
        return ABSENT
    said = {True: ", better", False: ", worse", None: ""}[number.better]
    return f"{(number.b - number.a) / abs(number.a):+.2%}{said}"
