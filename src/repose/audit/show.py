"""Show the result of an audit, as a tree for people and as JSON for programs."""

from typing import Any

from rich.console import Console
from rich.markup import escape as escape_markup
from rich.tree import Tree

from repose.audit.audit import Audit, Row
from repose.audit.tree import Node
from repose.errors import LONGEST


def show(found: Audit, console: Console) -> None:
    """Print the tree and the verdict."""
    tree = Tree(_label(found.root))
    seen = {found.root.place}
    columns = [*(metric.column for metric in found.metrics), "run_ids"]
    for key, rows in _runs(found.rows).items():
        branch = tree.add(f"[bold]{escape(' / '.join(key))}[/]")
        for row in rows:
            branch.add(_numbers(row, columns))
        _grow(branch, {n: p for n, p in found.root.parents.items() if n in rows[0].branches}, seen)
    told = {name for row in found.rows for name in row.branches}
    _grow(tree, {n: p for n, p in found.root.parents.items() if n not in told}, seen)
    console.print(tree)
    for note in found.notes:
        console.print(f"[yellow]note:[/] {escape(note)}")
    console.print(_verdict(found), soft_wrap=True)


def escape(said: str) -> str:
    """Escape text of a table or a manifest for printing, as it may be forged."""
    return escape_markup("".join(c if c.isprintable() else " " for c in said[:LONGEST]))


def as_json(found: Audit) -> dict[str, Any]:
    """Return the result of an audit as plain data."""
    return {
        "artefact": found.root.place,
        "holds": not found.faults,
        "first_broken_link": ": ".join(found.faults[0]) if found.faults else None,
        "faults": [{"artefact": place, "what": what} for place, what in found.faults],
        "notes": found.notes,
        "digest": found.digest,
        "computed_again": _computed_again(found),
        "metrics": {m.column: {"heading": m.heading, "better": m.better} for m in found.metrics},
        "rows": [row.key | row.cells | {"branches": list(row.branches)} for row in found.rows],
        "artefacts": [_plain(node) for node in found.nodes],
    }


def _plain(node: Node) -> dict[str, Any]:
    plain: dict[str, Any] = {"manifest": node.place, "faults": node.faults}
    plain["parents"] = {name: parent.place for name, parent in node.parents.items()}
    if node.manifest:
        plain |= {"digest": node.manifest.digest, "content": node.manifest.content}
        plain["history"] = node.manifest.history
    return plain


def _runs(rows: list[Row]) -> dict[tuple[str, ...], list[Row]]:
    runs: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        runs.setdefault(tuple(v for k, v in row.key.items() if k != "protocol"), []).append(row)
    return runs


def _numbers(row: Row, columns: list[str]) -> str:
    cells = " ".join(f"{name} [cyan]{escape(row.cells[name])}[/]" for name in columns if row.cells.get(name))
    return f"{escape(row.key.get('protocol', 'row'))}: {cells}"


def _grow(branch: Tree, parents: dict[str, Node], seen: set[str]) -> None:
    """Add what an artefact was made from; an artefact that the tree shows already gets a single line."""
    above = []
    # The last artefact comes first, and the others hang below it.
    for name, node in sorted(parents.items(), key=lambda item: -item[1].depth):
        if node.place in seen:
            above.append(node.title)
        else:
            seen.add(node.place)
            _grow(branch.add(f"[dim]{escape(name.partition(':')[0])}:[/] {_label(node)}"), node.parents, seen)
    if above:
        branch.add(f"[dim]shown above: {escape(', '.join(above))}[/]")


def _label(node: Node) -> str:
    if node.manifest is None:
        return f"[red]✗ {escape(node.title)}: {escape('; '.join(node.faults))}[/]"
    history = node.history
    facts = [node.manifest.digest[:12], size(node.bytes), f"code {escape(history['code'][:8])}"]
    if history["seed"] is not None:
        facts.append(f"seed {history['seed']}")
    line = f"{escape(node.title)} [dim]{escape(', '.join(facts))}[/]"
    if node.faults:
        return f"[red]✗[/] {line} [red]{escape('; '.join(node.faults))}[/]"
    return f"[green]✓[/] {line}"


def _verdict(found: Audit) -> str:
    nodes = found.nodes
    files = sum(len(n.files) for n in nodes)
    total = size(sum(n.bytes for n in nodes))
    lines = [
        f"Hashed: {len(nodes)} artefacts, {files} files and directories, {total}.",
        f"Computed again: {_computed_again(found)}.",
        f"Digest of the tree: {found.digest}",
    ]
    if found.faults:
        lines.append(f"[bold red]Broken.[/] First broken link: {escape(': '.join(found.faults[0]))}")
    else:
        lines.append("[bold green]Holds.[/]")
    return "\n".join(lines)


def _computed_again(found: Audit) -> str:
    if of_benchmark := sum(node.stage == "benchmark-score" for node in found.nodes):
        return f"{of_benchmark} lots of scores of the benchmark, from predictions and truths"
    if not found.rows:
        return "nothing, this is no table"
    numbers = sum(bool(value) for row in found.rows for value in row.cells.values())
    scores = "the scores from predictions and meshes" if found.rescored else "not the scores (--rescore)"
    return f"{numbers} cells of {len(found.rows)} rows from their scores; {scores}"


def size(count: float) -> str:
    """Return a number of bytes in a readable unit."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
