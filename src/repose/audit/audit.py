"""Audit a table from every cell back to the raw bytes; docs/audit.md explains what that proves.

* Hashed: every file of every artefact against its manifest, every manifest against the history beside it, every link
  from an artefact to the content that it was made from, and the raw files that a user supplied.
* Recomputed: the table from the scores; with `rescore` also the scores, including those of renders, from predictions
  and meshes.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from pkgutil import resolve_name
from types import ModuleType
from typing import Any, get_args

import pandas as pd

from repose.audit.table import Derive, incomplete, misnamed
from repose.audit.tree import Node, grow
from repose.errors import ReposeError
from repose.medium import Medium, module_of
from repose.metrics.metric import Metric
from repose.provenance.code import code_hash
from repose.provenance.listing import fingerprint
from repose.provenance.manifest import load, manifest_path
from repose.raw.inventory import Inventory
from repose.tables.stage import derive

KEYS = ("dataset", "method", "protocol")


@dataclass(frozen=True)
class Row:
    """One row of the table: its text in the file, and the scores that it was made from."""

    key: dict[str, str]
    cells: dict[str, str]
    branches: tuple[str, ...]  # names of the table's inputs


@dataclass
class Audit:
    """The result of an audit.

    Attributes:
        root: the audited artefact, with everything behind it.
        rows: for a table, the rows that were asked for.
        rescored: whether the scores were computed again.
        notes: remarks that are no faults.
    """

    root: Node
    rows: list[Row]
    rescored: bool
    notes: list[str] = field(default_factory=list)

    @property
    def metrics(self) -> Sequence[Metric]:
        """The metrics of the table, in the order of its columns; empty if it is no table."""
        return metrics_of(self.root.history) if self.rows else ()

    @property
    def nodes(self) -> list[Node]:
        """Every artefact, from the table to the raw data."""
        return list(self.root.walk())

    @property
    def faults(self) -> list[tuple[str, str]]:
        """Pairs (artefact, fault), from the table to the raw data."""
        return [(node.place, what) for node in self.nodes for what in node.faults]

    @property
    def digest(self) -> str:
        """One sha256 for the bytes, links, settings, seeds, code and software of the whole tree."""
        made_by = ("inputs", "params", "code", "seed", "software")
        lines = [
            [n.place, n.manifest.digest if n.manifest else None, *(n.history.get(k) for k in made_by)]
            for n in sorted(self.nodes, key=lambda n: n.place)
        ]
        return hashlib.sha256(json.dumps(lines, sort_keys=True).encode()).hexdigest()


def audit(artefact: Path, cell: Mapping[str, str] | None = None, rescore: bool = False) -> Audit:
    """Check the tree behind an artefact, or behind the rows of a table that match `cell`.

    Args:
        artefact: a table, or any other artefact with a manifest.
        cell: values that a row must have, such as `{"method": "corenet"}`.
        rescore: recompute every score from predictions and meshes, including scores of renders, and predict again:
            baselines completely, learned methods on the first rows of each test list.

    Raises:
        ReposeError: there is no such artefact, row or column. A failed check raises no error, but is a fault in the
            result.
    """
    manifest = manifest_path(artefact)
    if not manifest.exists():
        raise ReposeError(
            "no manifest beside it", where=artefact, hint=f"`repose audit` needs {manifest.name}"
        )
    is_table = artefact.suffix == ".csv" and artefact.exists() and not _is_derived_otherwise(manifest)
    if cell and not is_table:
        raise ReposeError("--cell is for tables", where=artefact)
    table = read_table(artefact) if is_table else None
    rows = [] if table is None else rows_of(table, artefact, manifest, cell or {})
    if cell and table is None:
        raise ReposeError("cannot be read as a table", where=artefact, hint="audit it without --cell")
    only = {name for row in rows for name in row.branches} if cell else None
    found = Audit(grow(manifest, only), rows, rescore)
    for node in found.nodes:
        _check_raw_files(node, found.notes)
    if is_table and table is None:
        found.root.faults.append("cannot be read as a table")
    elif table is not None and found.root.manifest:
        derived: Derive = cache(partial(derive, found.root.manifest))
        what = "cannot be computed again from its scores"
        found.root.faults += _tried(what, _derived_otherwise, found.root, rows, derived)
        found.root.faults += misnamed(found.root)
        if not cell:
            what = "cannot be compared with its scores"
            found.root.faults += _tried(what, incomplete, found.root, artefact, table, derived)
    for node in found.nodes:
        node.faults += _made_otherwise(node, _STAGES if rescore else _BENCHMARK)
    found.notes += [*_handed_in(found), *_notes(found)]
    return found


def parse_cell(text: str) -> dict[str, str]:
    """Parse `method=corenet,dataset=open-human` into a mapping."""
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(key and sign and value for key, sign, value in pairs):
        raise ReposeError(f"--cell {text!r} is not of the form method=corenet,dataset=open-human")
    return {key.strip(): value.strip() for key, _, value in pairs}


def read_table(csv: Path) -> pd.DataFrame | None:
    """Return a table as the text in its file; None if it cannot be read."""
    try:
        return pd.read_csv(csv, dtype=str, keep_default_na=False)
    except ValueError:  # the file is not a table
        return None


def rows_of(table: pd.DataFrame, csv: Path, manifest: Path, cell: Mapping[str, str]) -> list[Row]:
    """Return the rows that match `cell`, each with the names of the table's inputs that it was made from."""
    if unknown := set(cell) - set(table.columns):
        raise ReposeError(
            f"the table has no column {min(unknown)!r}", where=csv, hint=f"it has {', '.join(table.columns)}"
        )
    records = [r for r in table.to_dict("records") if all(r[k] == v for k, v in cell.items())]
    if not records:
        wanted = ", ".join(f"{k}={v}" for k, v in cell.items())
        raise ReposeError(f"no row of the table has {wanted}" if cell else "the table is empty", where=csv)
    try:
        history = load(manifest).history
    except ReposeError:
        history = {"inputs": {}}  # the walk reports what is wrong with the manifest
    return [_row(record, history["inputs"], _reference(table, record, history)) for record in records]


def metrics_of(history: Mapping[str, Any]) -> Sequence[Metric]:
    """Return a table's metrics by its history, in the order of its columns; empty if it is no table."""
    tables = _tables_of(history)
    return tables.METRICS if tables else ()


def _tables_of(history: Mapping[str, Any]) -> ModuleType | None:
    medium = history.get("params", {}).get("medium")
    return module_of("repose.tables", medium) if medium in get_args(Medium) else None


def _reference(table: pd.DataFrame, record: dict[Any, str], history: Mapping[str, Any]) -> str | None:
    """Return the method of the row's dataset whose scores some cells of the row also use, if there is one."""
    tables = _tables_of(history)
    if "dataset" not in record or not tables:
        return None
    found: str | None = tables.reference(list(table.method[table.dataset == record["dataset"]]))
    return found


def _row(record: dict[Any, str], inputs: Mapping[str, str], reference: str | None) -> Row:
    key = {k: record[k] for k in KEYS if k in record}
    runs = dict.fromkeys(
        f":{key.get('dataset')}/{method}/" for method in (reference, key.get("method")) if method
    )
    branches = tuple(name for run in runs for name in inputs if run in name)
    return Row(key, {k: v for k, v in record.items() if k not in KEYS}, branches)


def _derived_otherwise(root: Node, rows: list[Row], derived: Derive) -> list[str]:
    """Compare the rows with a table that is recomputed from the scores."""
    names = {name for row in rows for name in row.branches}
    if not all(name in root.parents and root.parents[name].manifest for name in names):
        return []  # these have their own faults
    scores = (f"scores:{run}" for run in root.history["params"]["runs"])
    table = derived(tuple(name for name in scores if name in names))
    fresh = {tuple(str(r[k]) for k in KEYS): r for r in table.to_dict("records")}
    faults = []
    for row in rows:
        mine = fresh.get(tuple(row.key.values()))
        if mine is None:
            faults.append(f"has a row {_name(row)} that no scores give")
            continue
        for column, stands in row.cells.items():
            if column not in mine or not _agree(stands, mine[column]):
                faults.append(
                    f"{_name(row)}: {column} is {stands or 'empty'}, its scores give {mine.get(column)}"
                )
    return faults


def _tried(what: str, find: Callable[..., Iterable[str]], *given: Any) -> list[str]:
    """Return the faults that a check finds; a check that fails to run is a fault, too."""
    try:
        return list(find(*given))
    except Exception as error:  # a forged tree can cause nearly any error
        return [f"{what}: {str(error) or type(error).__name__}"]


def _check_raw_files(node: Node, notes: list[str]) -> None:
    """Hash the files that an inventory lists, if they still exist."""
    for path in [] if node.faults else node.inventories:
        try:
            inventory = Inventory.read(path)
        except ReposeError:
            continue  # another kind of raw data, whose bytes are hashed like those of any artefact
        # Unpacked files move with the results; the user's own files do not.
        moved = node.path.parent / inventory.root.name
        root = inventory.root if inventory.root.is_dir() else moved
        there = [file for file in inventory.files if (root / file.path).is_file()]
        node.faults += [
            f"raw file {file.path} is not the one that was read"
            for file in there
            if fingerprint(root / file.path).stated["sha256"] != file.sha256
        ]
        if gone := len(inventory.files) - len(there):
            notes.append(
                f"{node.place}: {gone} raw files are no longer in {root}; their hashes are those of then"
            )


# Functions that recompute an artefact and compare: `module:function`, imported when needed.
_BENCHMARK = {
    "benchmark-score": "repose.benchmark.score:differs_from_predictions",
    "ranking": "repose.benchmark.rank:differs_from_scores",
}
_STAGES = _BENCHMARK | {
    "benchmark-predict": "repose.benchmark.predict:differs_from_network",
    "conventions": "repose.conventions.stage:differs_from_predictions",
    "motions": "repose.motions.stage:differs_from_inputs",
    "predict": "repose.audit.predicted:differs_from_network",
    "score": "repose.score.stage:differs_from_predictions",
    "score-renders": "repose.score.render_stage:differs_from_predictions",
}


def _made_otherwise(node: Node, compute: Mapping[str, str]) -> list[str]:
    """Return what differs in an artefact of certain stages from what its inputs give."""
    if node.manifest is None or node.stage not in compute:
        return []
    if not all(parent.manifest for parent in node.parents.values()):
        return []
    what = "cannot be computed again from its inputs"
    return _tried(what, resolve_name(compute[node.stage]), node.manifest)


def _is_derived_otherwise(manifest: Path) -> bool:
    """Return whether a CSV is a ranking of the benchmark, by conventions or of motions, which are derived otherwise."""
    try:
        return load(manifest).content["stage"] in ("ranking", "conventions", "motions")
    except ReposeError:
        return False  # the walk reports what is wrong with it


def _handed_in(found: Audit) -> list[str]:
    """Return a note on each submitted prediction, about which an audit cannot prove how it was made."""
    return [
        f"{node.place}: was handed in. Scores follow from it; that a method made it, and learned as the card says, is "
        "not proved"
        for node in found.nodes
        if node.stage == "handed-in"
    ]


def _agree(stands: str, fresh: Any) -> bool:
    if stands == "" or pd.isna(fresh):
        return stands == "" and bool(pd.isna(fresh))
    try:
        return float(stands) == float(fresh)  # a table has six digits
    except ValueError:
        return sorted(stands.split(";")) == sorted(str(fresh).split(";"))  # run ids, in the order of seeds


def _name(row: Row) -> str:
    return " ".join(row.key.values())


def _installed_code(node: Node) -> str | None:
    """Return the hash of the code that would make an artefact now; None if it is not installed."""
    try:
        return code_hash(*node.history["modules"])
    except Exception:  # a forged history may name anything
        return None


def _notes(found: Audit) -> list[str]:
    """Return remarks that are no faults: results of other code than the installed one, or of several versions."""
    versions: dict[str, set[str]] = {}
    other: Counter[str] = Counter()
    for node in filter(lambda node: node.manifest, found.nodes):
        code = node.history["code"]
        versions.setdefault(re.sub(r"seed\d+", "seed*", node.place), set()).add(code)
        if code != _installed_code(node):
            other[node.stage] += 1
    notes = [
        f"{stage}: {count} made by other code than what is installed now; run the workflow to make them again"
        for stage, count in other.items()
    ]
    return notes + [
        f"{place}: its seeds were made by {len(codes)} versions of the code"
        for place, codes in versions.items()
        if len(codes) > 1
    ]
