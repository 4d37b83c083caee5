"""Check that a table is complete: all rows and columns once, from the required runs, with twins that agree."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from repose.audit.tree import Node
from repose.errors import ReposeError
from repose.tables.stage import twins

_OF_RUNS = ("scores", "predictions", "render-scores")  # folders of results, and kinds of inputs
_NAMED_OTHERWISE = ("run", "scorer")  # inputs whose places follow from settings

Derive = Callable[[tuple[str, ...]], pd.DataFrame]
"""Computes a table again from some of its inputs, `scores:{run}` in the order of its runs."""


def incomplete(root: Node, csv: Path, table: pd.DataFrame, derived: Derive) -> Iterator[str]:
    """Yield what a table lacks or has too much of.

    Args:
        root: the table, with everything behind it.
        csv: its file.
        table: content of the file, as text.
        derived: recomputes the table from its scores.
    """
    assert root.manifest
    params, inputs = root.manifest.history["params"], root.manifest.history["inputs"]
    scored = {name.removeprefix("scores:") for name in inputs if name.startswith("scores:")}
    if scored != set(params["runs"]):
        odd = min(scored ^ set(params["runs"]))
        yield f"is not made of the runs it says: {odd} is {'too much' if odd in scored else 'missing'}"
        return
    if any(parent.manifest is None for parent in root.parents.values()):
        return  # these have their own faults
    try:
        fresh = derived(tuple(f"scores:{run}" for run in params["runs"]))
    except (ReposeError, OSError):
        return  # its cells or the scores have their own fault
    if list(fresh.columns) != list(table.columns):
        odd = sorted(set(fresh.columns) ^ set(table.columns)) or ["their order"]
        yield f"has other columns than its scores give: {odd[0]}"
    place = ["dataset", "method", "protocol"]
    if set(place) <= set(table.columns):
        rows, given = (
            list(one[place].astype(str).itertuples(index=False, name=None)) for one in (table, fresh)
        )
        if rows != given:
            odd = next(
                iter((set(given) - set(rows)) or (set(rows) - set(given)) or {("an order of their own",)})
            )
            yield f"has not the rows that its scores give: {' '.join(odd)}"
    for suffix, written in twins(params["medium"], fresh).items():
        twin = csv.with_suffix(suffix)
        if twin.exists() and twin.read_text(encoding="utf-8") != written:
            yield f"{twin.name} does not say what its scores give"


def misnamed(root: Node) -> Iterator[str]:
    """Yield inputs that belong to another run than the table states, or were made from what belongs to another."""
    for name, parent in root.parents.items():
        part, _, run = name.partition(":")
        if part not in _OF_RUNS or not parent.manifest:
            continue
        wanted, place = f"{part}/{run}", parent.manifest.content["place"]
        if place != wanted:
            yield f"takes {place} for {wanted}"
        for theirs, behind in parent.parents.items():
            if theirs not in _NAMED_OTHERWISE and behind.title not in _places_of(theirs, run):
                yield f"takes {wanted}, which takes {behind.title} for its {theirs}"
        if part == "predictions" and parent.parents.get("run") is not root.parents.get(f"run:{run}"):
            yield f"takes {wanted}, which was not made by the weights of {run}"


def _places_of(name: str, run: str) -> tuple[str, ...]:
    """Return where an input of the predictions or scores of a run may lie."""
    dataset = run.partition("/")[0]
    known = {
        "predictions": (f"predictions/{run}",),
        "store": (f"data/{dataset}/meshes", f"data/{dataset}/images"),
    }
    return known.get(name, (f"splits/{dataset}/{name}",))
