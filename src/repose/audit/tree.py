"""The artefacts behind a result: from its manifest to those of its inputs, back to the raw data."""

import re
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from repose.errors import ReposeError
from repose.provenance.listing import check_file
from repose.provenance.manifest import Manifest, load, manifest_path, misplaced
from repose.provenance.owner import results_folder
from repose.results import Results

DEEPEST = 64  # longest chain of artefacts
_SEED = re.compile(r"/seed(\d+)[/.]")
_PATHS = Results(Path())
_STAGES = {  # of the first pattern that matches a place, the stage behind it; an audit computes again by stages
    re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(str(manifest_path(path))))): stage
    for path, stage in (
        (_PATHS.recipe(), "raw"),
        (_PATHS.inventory(), "raw"),
        (_PATHS.split(), "split"),
        (_PATHS.run(), "train"),
        (_PATHS.predictions(), "predict"),
        (_PATHS.scores(), "score"),
        (_PATHS.render_scores(), "score-renders"),
        (_PATHS.conventions(), "conventions"),
        (_PATHS.motions(), "motions"),
        (_PATHS.ranking(), "ranking"),
        (_PATHS.benchmark_predictions(), "benchmark-predict"),
        (_PATHS.handed_in(), "handed-in"),
        (_PATHS.benchmark_scores(), "benchmark-score"),
    )
}


@dataclass
class Node:
    """One artefact of the tree.

    Args:
        place: path of its manifest, relative to the folder of results.
        path: the same path, relative to the working directory.
        manifest: None if it cannot be read.
        parents: the artefacts it was made from, by the name of the input.
        faults: failed checks, the most direct cause first.
        depth: steps back to the raw data.
    """

    place: str
    path: Path
    manifest: Manifest | None = None
    parents: dict[str, "Node"] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    depth: int = 1

    @property
    def title(self) -> str:
        """The place without the suffix of a manifest."""
        return self.place.removesuffix(".manifest.json")

    @property
    def stage(self) -> str:
        """The stage that made it; empty if its manifest cannot be read, and so are the properties below."""
        return self.manifest.content["stage"] if self.manifest else ""

    @property
    def files(self) -> dict[str, dict[str, Any]]:
        """The statements of its manifest on each file and folder, by name."""
        return self.manifest.content["files"] if self.manifest else {}

    @property
    def history(self) -> dict[str, Any]:
        """The history of how it was made."""
        return self.manifest.history if self.manifest else {}

    @property
    def bytes(self) -> int:
        """The total size of its files."""
        return sum(file["bytes"] for file in self.files.values())

    @property
    def inventories(self) -> list[Path]:
        """For raw data, the files that list what a user supplied; empty if the data are made from a seed."""
        return [self.path.parent / n for n in self.files if n.endswith(".json") and self.stage == "raw"]

    def walk(self) -> Iterator["Node"]:
        """Yield this node and everything behind it, each once, children before their parents."""
        seen, todo = set[str](), [self]
        while todo:
            node = todo.pop()
            if node.place not in seen:
                seen.add(node.place)
                todo.extend(reversed(node.parents.values()))
                yield node


def grow(manifest: Path, only: Collection[str] | None = None, hashed: bool = True) -> Node:
    """Read the tree behind `manifest` and check it.

    Args:
        manifest: the manifest of the last artefact; outside a folder of results, its own folder takes that role.
        only: names of inputs of this first artefact to follow; None follows all.
        hashed: whether to check every file against its manifest, too.
    """
    nodes: dict[str, Node] = {}
    base = (results_folder(manifest) or manifest.parent).resolve()
    root = _read(manifest, _place(manifest, base), base, nodes, only)
    work = [(node, *stated) for node in nodes.values() for stated in node.files.items()] if hashed else []
    with ThreadPoolExecutor() as pool:
        for (node, *_), fault in zip(work, pool.map(_hashed, work), strict=True):
            node.faults += fault
    for node in nodes.values():
        node.faults += _broken_links(node)
    return root


def _read(
    path: Path,
    place: str,
    base: Path,
    nodes: dict[str, Node],
    only: Collection[str] | None = None,
    below: frozenset[str] = frozenset(),
) -> Node:
    """Return the node of a manifest with everything behind it; `below` are the places on the chain that leads to it."""
    if place in nodes:
        return nodes[place]
    node = nodes[place] = Node(place, path)
    try:
        node.manifest = load(path)
    except (ReposeError, OSError) as error:
        node.faults.append(_said(error))
        return node
    below = below | {place}
    for name, parent in node.manifest.parents.items():
        if only is not None and name not in only:
            continue
        behind = _place(parent, base)
        if behind in below or len(below) > DEEPEST:  # only a forgery causes this
            node.faults.append(f"was made from itself, or has more than {DEEPEST} artefacts behind it")
            continue
        node.parents[name] = _read(parent, behind, base, nodes, below=below)
    node.depth += max((parent.depth for parent in node.parents.values()), default=0)
    return node


def _place(path: Path, base: Path) -> str:
    """Return the place of a manifest, without `..`, relative to the folder of results, which is resolved."""
    resolved = path.resolve()
    return (resolved.relative_to(base) if resolved.is_relative_to(base) else resolved).as_posix()


def _hashed(work: tuple[Node, str, dict]) -> list[str]:
    node, name, expected = work
    try:
        check_file(node.path, name, expected)
    except (ReposeError, OSError) as error:
        return [_said(error, f"{name} ")]
    return []


def _said(error: ReposeError | OSError, name: str = "") -> str:
    return error.what if isinstance(error, ReposeError) else f"{name}cannot be read: {error.strerror}"


def _broken_links(node: Node) -> list[str]:
    if node.manifest is None:
        return []
    history = node.history
    faults = [
        f"was made from {parent.place} when that had another history; it was edited, or replaced"
        for name, parent in node.parents.items()
        if parent.manifest
        and history["histories"].get(name) not in (parent.history["sha256"], *parent.history["former"])
    ]
    faults += [
        f"was made from another {name} than {parent.place}"
        for name, parent in node.parents.items()
        if parent.manifest and parent.manifest.digest != history["inputs"].get(name)
    ]
    if unplaced := set(history["inputs"]) - set(history["parents"]):
        faults.append(f"does not say where its input {min(unplaced)} lay")
    if results_folder(node.path):
        faults += filter(None, [misplaced(node.manifest), _of_another_stage(node)])
    seed = _SEED.search(f"/{node.place}")
    if node.stage == "train" and seed and int(seed[1]) != history["seed"]:
        faults.append(f"lies in the place of seed {seed[1]} but is of seed {history['seed']}")
    return faults


def _of_another_stage(node: Node) -> str | None:
    """Return a fault if a manifest names another stage than that of its place: then nothing would be computed again."""
    found = (stage for place, stage in _STAGES.items() if place.fullmatch(node.place))
    # Tables lie where a user's own artefacts may lie, too, so their file tells.
    wanted = "tables" if str(_PATHS.table(node.title)) in node.files else next(found, node.stage)
    return None if node.stage == wanted else f"says that stage {node.stage!r} made it, not {wanted}"
