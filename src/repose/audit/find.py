"""Find the numbers that depend on a mesh, dataset, method, code, raw file or other artefact, and by which chain."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from repose.audit.audit import Row, metrics_of, read_table, rows_of
from repose.audit.show import escape
from repose.audit.sought import EVERY, Sought, sought
from repose.audit.tree import Node, grow
from repose.errors import ReposeError
from repose.metrics import renders
from repose.metrics.benchmark import DIAGNOSTICS, METRICS, WITHOUT_ORDER
from repose.provenance.manifest import manifest_path

Chain = tuple[str, ...]
RANKED = (*METRICS, *DIAGNOSTICS, *WITHOUT_ORDER)
_BY_PROTOCOL = ("predict", "score", "score-renders")


@dataclass(frozen=True)
class Dependent:
    """The numbers of one row that would change.

    Attributes:
        table: the file of the table.
        row: dataset, method and protocol; for a ranking, source and method.
        cells: columns of the numbers.
        chain: artefacts from the sought one to the table, each made from the previous one.
    """

    table: str
    row: dict[str, str]
    cells: tuple[str, ...]
    chain: Chain


@dataclass(frozen=True)
class Found:
    """Everything that depends on the sought thing.

    Attributes:
        sought: the sought thing, as the user named it.
        tables: file names of the tables that were searched.
        numbers, rows: counts in all the tables.
        dependents: the rows that depend on it.
        notes: further remarks.
    """

    sought: str
    tables: tuple[str, ...]
    numbers: int
    rows: int
    dependents: list[Dependent]
    notes: list[str]


def find(text: str, tables: Sequence[Path]) -> Found:
    """Find the numbers of some tables that depend on a given thing.

    Args:
        text: `mesh:open-human/id3_17`; the kinds are those of `repose.audit.sought`.
        tables: tables and rankings, with their manifests.

    Raises:
        ReposeError: there is nothing of that name behind the tables, or an artefact behind them cannot be read.
    """
    roots = {csv: grow(manifest_path(csv), hashed=False) for csv in tables}
    nodes = {node.place: node for root in roots.values() for node in root.walk()}
    for node in nodes.values():
        if node.manifest is None:
            raise ReposeError(node.faults[0], node.path, "`repose audit` says what else does not hold")
    thing = sought(text, nodes)
    walk, numbers, rows = _Walk(thing), 0, 0
    dependents: list[Dependent] = []
    for csv, root in roots.items():
        for row in _rows(csv):
            cells = _numbers(row, root)
            numbers, rows = numbers + len(cells), rows + 1
            dependents += _dependents(csv.name, row, cells, root, walk)
    notes = [
        *thing.unknown,
        *(f"{n.place}: {n.faults[0]}; audit it first" for n in nodes.values() if n.faults),
    ]
    if thing.meshes:
        notes.append(
            f"splits of {thing.dataset} are drawn from its whole catalogue: a run without it draws other triples or "
            "pairs, and then numbers that do not depend on it change, too"
        )
    return Found(text, tuple(csv.name for csv in tables), numbers, rows, dependents, notes)


def tables_of(results: Path) -> list[Path]:
    """Return the tables and rankings of a folder of results.

    Raises:
        ReposeError: there are none.
    """
    found = [*sorted(results.glob("*.csv")), *sorted(results.glob("benchmark/*/*/ranking.csv"))]
    if not (made := [csv for csv in found if manifest_path(csv).exists()]):
        raise ReposeError("no table here", results, "run the workflow, or give --results")
    return made


def show(found: Found, console: Console) -> None:
    """Print the rows with the chain that leads to each; methods with the same chain are listed together."""
    if not found.dependents:
        console.print(f"Nothing depends on {escape(found.sought)}: no number of {', '.join(found.tables)}.")
    for table in found.tables:
        some = [d for d in found.dependents if d.table == table]
        if some:
            cells = sum(len(d.cells) for d in some)
            console.print(f"[bold]{escape(table)}[/]: {cells} numbers of {len(some)} rows", soft_wrap=True)
        for d in some:
            console.print(
                f"  {escape(' / '.join(d.row.values()))}: {escape(', '.join(d.cells))}", soft_wrap=True
            )
            console.print(f"    [dim]{escape(' → '.join(d.chain))}[/]", soft_wrap=True)
    if found.dependents:
        cells = sum(len(d.cells) for d in found.dependents)
        console.print(
            f"{cells} of {found.numbers} numbers in {len(found.dependents)} of {found.rows} rows depend on "
            f"{escape(found.sought)}.",
            soft_wrap=True,
        )
    for note in found.notes:
        console.print(f"[yellow]note:[/] {escape(note)}", soft_wrap=True)


class _Walk:
    """Follows the sought thing through a tree, visiting each artefact once."""

    def __init__(self, thing: Sought):
        self.thing = thing
        self._known: dict[str, dict[str, Chain]] = {}

    def uses(self, node: Node) -> dict[str, Chain]:
        """Return, by protocol, the shortest chain that leads to an artefact; under `EVERY`, to all of it."""
        if node.place not in self._known:
            found: dict[str, Chain] = {}
            for protocol, chain in self._uses(node):
                found[protocol] = min(found.get(protocol, chain), chain, key=len)
            self._known[node.place] = found
        return self._known[node.place]

    def _uses(self, node: Node) -> Iterator[tuple[str, Chain]]:
        thing, inputs = self.thing, list(self._inputs(node))
        # The chain begins at an input that depends on the sought thing.
        if node.place in thing.sources and not inputs:
            yield EVERY, (f"{node.title} ({thing.sources[node.place]})",)
        yield from inputs
        for protocol, how in thing.reads(node):
            yield protocol, (how, node.title)

    def _inputs(self, node: Node) -> Iterator[tuple[str, Chain]]:
        for name, parent in node.parents.items():
            if name == "scorer" and (why := self.thing.all_of_scorer(parent)):
                yield EVERY, (why, parent.title, node.title)
            if self.thing.passes(parent):
                for protocol, chain in self.uses(parent).items():
                    yield _at(node, name, parent, protocol), (*chain, node.title)


def _at(node: Node, name: str, parent: Node, protocol: str) -> str:
    """Return the protocol of an artefact that depends on a part of one of its inputs."""
    if node.stage not in _BY_PROTOCOL:
        return EVERY
    if parent.stage == "split":
        return name
    return protocol if parent.stage in _BY_PROTOCOL else EVERY


def _rows(csv: Path) -> list[Row]:
    table = read_table(csv)
    if table is None:
        raise ReposeError("cannot be read as a table", csv, "`repose audit` says what does not hold")
    return rows_of(table, csv, manifest_path(csv), {})


def _numbers(row: Row, root: Node) -> list[str]:
    """Return the columns of a row with a number of a metric; their intervals change with them, and are not counted."""
    metrics = metrics_of(root.history) if root.stage == "tables" else RANKED
    wanted = {name for m in metrics for name in (m.column, f"{m.column}_gain")} | {
        "skill",
        "all_rows_mpve_mm",
    }
    return [name for name, value in row.cells.items() if name in wanted and value]


def _dependents(table: str, row: Row, cells: list[str], root: Node, walk: _Walk) -> Iterator[Dependent]:
    """Yield the numbers of a row that depend on the sought thing, by the chain that leads to them."""
    own: dict[str, Chain] = {}
    compared: dict[str, Chain] = {}  # numbers that are relative to those of another method
    for scores, columns, is_own in _scores_of(row, cells, root):
        protocol = row.key.get("protocol", EVERY)
        is_listed = protocol in scores.parents
        # Protocols of generated poses are not lists: they combine several lists.
        found = [c for at, c in walk.uses(scores).items() if at in (EVERY, protocol) or not is_listed]
        chains = own if is_own else compared
        for chain in found:
            chains |= {column: min(chains.get(column, chain), chain, key=len) for column in columns}
    chains = compared | own
    key = row.key if root.stage == "tables" else {"source": row.cells["source"]} | row.key
    for chain in dict.fromkeys(chains.values()):
        yield Dependent(table, key, tuple(c for c in cells if chains.get(c) == chain), (*chain, table))


def _scores_of(row: Row, cells: list[str], root: Node) -> Iterator[tuple[Node, list[str], bool]]:
    """Yield the scores that a row is made from, the columns that each gives, and whether they are the row's own."""
    of_pictures = {metric.column for metric in renders.METRICS}
    relative = [name for name in cells if name.endswith("_gain") or name == "skill"]
    for name, parent in root.parents.items():
        part, _, run = name.rpartition(":")
        if root.stage == "ranking":
            if run.startswith(f"{row.cells['source']}/{row.key['method']}/"):
                yield parent, cells, True
            elif run.startswith("baseline/copy-pose/"):
                yield parent, relative, False
        elif name in row.branches and part == "render-scores":
            yield parent, [c for c in cells if c in of_pictures], True
        elif name in row.branches and part == "scores":
            is_own = run.startswith(f"{row.key['dataset']}/{row.key['method']}/")
            yield parent, [c for c in cells if c not in of_pictures] if is_own else relative, is_own
