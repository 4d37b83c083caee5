"""The facts that artefacts state about themselves: tables, runs, the origin of each number, and costs."""

import shlex
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from repose.audit.audit import Row, metrics_of, read_table, rows_of
from repose.audit.public import public
from repose.audit.tree import Node, grow
from repose.errors import ReposeError
from repose.medium import module_of
from repose.metrics.metric import Metric
from repose.provenance.manifest import Manifest, manifest_path
from repose.reading import read_rows
from repose.tables.latex import Latex, latex
from repose.tables.runs import PLACE, role_of

STAGES = (
    *("raw", "convert", "store", "gih", "split", "neighbours", "train", "predict", "score", "score-renders"),
    "tables",
)
"""In the order in which they follow each other."""


@dataclass(frozen=True)
class Table:
    """One table, with everything behind it."""

    name: str
    medium: str
    root: Node
    rows: list[Row]
    metrics: Sequence[Metric]
    latex: Latex

    @property
    def columns(self) -> list[str]:
        """The columns of its CSV, in order."""
        return [*self.rows[0].key, *self.rows[0].cells]


@dataclass
class Run:
    """One method on one dataset, in all of its seeds."""

    dataset: str
    method: str
    architecture: str
    told: list[str]
    trained: bool
    params: dict[str, str]
    tables: list[str] = field(default_factory=list)
    curves: dict[int, pd.DataFrame] = field(default_factory=dict)
    costs: list[str] = field(default_factory=list)

    @property
    def role(self) -> str:
        """Its role, see `repose.tables.runs.role_of`."""
        return role_of(self.told, self.trained)


class Facts:
    """Everything that pages show, except bodies.

    Args:
        tables: the CSV of each table by name, in their order.
        media: the medium that each table compares.
        histories: `history.parquet` of each training, by `dataset/method/seed{n}`.
    """

    def __init__(self, tables: Mapping[str, Path], media: Mapping[str, str], histories: Mapping[str, Path]):
        self.tables = [_table(name, csv, media[name]) for name, csv in tables.items()]
        self._histories = histories

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """Every artefact behind the tables, by its place."""
        return {node.place: node for table in self.tables for node in table.root.walk()}

    @cached_property
    def manifests(self) -> list[Manifest]:
        """The manifests of these artefacts, if they have one."""
        return [node.manifest for node in self.nodes.values() if node.manifest]

    @cached_property
    def runs(self) -> dict[tuple[str, str], Run]:
        """Every method on every dataset, in the order of the tables."""
        found: dict[tuple[str, str], Run] = {}
        for table in self.tables:
            for name, node in table.root.parents.items():
                part, _, where = name.partition(":")
                dataset, method, *_ = (*where.split("/"), "", "")
                if part == "predictions" and node.manifest:
                    run = found.setdefault((dataset, method), self._run(dataset, method, node))
                    run.tables += [table.name] if table.name not in run.tables else []
        order = {(row.key["dataset"], row.key["method"]): None for table in self.tables for row in table.rows}
        return {key: found[key] for key in order if key in found}

    def _run(self, dataset: str, method: str, node: Node) -> Run:
        assert node.manifest
        params = node.manifest.history["params"]
        curves, trained = {}, node.parents.get("run")
        for where, path in self._histories.items():
            other, _, seed = where.rpartition("/seed")
            if trained and other == trained.place.removeprefix("runs/").partition("/seed")[0]:
                curves[int(seed)] = read_rows(path, "not a learning curve")
        costs = [f"predicted in {_seconds(node.manifest)}"]
        if trained and trained.manifest:
            costs.insert(0, f"trained in {_seconds(trained.manifest)}, {_memory(trained.manifest)}")
        settings = dict(public({k: v for k, v in params.items() if k != "told"}))
        return Run(
            dataset,
            method,
            params.get("method", {}).get("architecture", ""),
            list(params.get("told", [])),
            trained is not None,
            settings,
            curves=curves,
            costs=costs,
        )

    def costs(self) -> list[dict[str, Any]]:
        """Return, by stage in their order: the number of artefacts, the total seconds, and the peak memory."""
        found = []
        for stage in STAGES:
            made = [manifest for manifest in self.manifests if manifest.content["stage"] == stage]
            if made:
                found.append(
                    {
                        "stage": stage,
                        "artefacts": len(made),
                        "seconds": sum(float(m.history["seconds"]) for m in made),
                        "memory": max(float(m.history["peak_memory_mib"]) for m in made),
                        "bytes": sum(f["bytes"] for m in made for f in m.content["files"].values()),
                    }
                )
        return found

    def machines(self) -> list[dict[str, str]]:
        """Return the machines that artefacts were made on, without their names, and the number of artefacts of each."""
        counted = Counter[tuple[tuple[str, str], ...]]()
        for history in (manifest.history for manifest in self.manifests):
            about = {k: v for k, v in history["machine"].items() if k != "host"}
            if "device" in history:
                about["trained on"] = history["device"]
            counted[tuple(public(about))] += 1
        return [dict(key) | {"artefacts": str(count)} for key, count in counted.items()]

    def software(self) -> dict[str, str]:
        """Return the versions of packages, with several if artefacts were made with different ones."""
        found = defaultdict[str, set[str]](set)
        for manifest in self.manifests:
            for name, version in manifest.history["software"].items():
                found[name].add(version)
        return {name: ", ".join(sorted(versions)) for name, versions in sorted(found.items())}

    def started(self) -> list[str]:
        """Return when each artefact was begun, sorted."""
        return sorted(manifest.history["started"] for manifest in self.manifests)

    def behind(self, dataset: str, stage: str) -> list[Manifest]:
        """Return the manifests of one stage of a dataset."""
        nodes = (n for n in self.nodes.values() if n.manifest and dataset in n.place.split("/"))
        found = [n.manifest for n in nodes if n.manifest and n.manifest.content["stage"] == stage]
        return sorted(found, key=lambda manifest: manifest.content["place"])


def lineage(table: Table) -> dict[str, dict[str, Any]]:
    """Return every artefact behind a table as plain data, by place: the output of `repose audit`, and its parents."""
    return {node.place: dict(_plain(node)) for node in table.root.walk()}


def _plain(node: Node) -> Iterator[tuple[str, Any]]:
    parents = sorted(node.parents.items(), key=lambda item: -item[1].depth)
    yield "from", {name: parent.place for name, parent in parents}
    yield "faults", node.faults
    if node.manifest:
        history = node.manifest.history
        yield "title", node.place.removesuffix(".manifest.json")
        yield "stage", node.manifest.content["stage"]
        yield "sha256", node.manifest.digest
        yield "bytes", node.bytes
        yield "code", history["code"]
        yield "seed", history["seed"]
        yield "started", history["started"]
        yield "cost", f"{_seconds(node.manifest)}, {_memory(node.manifest)}"


def commands(table: Table, row: Row) -> list[tuple[str, str]]:
    """Return the commands that make and check the numbers of a row, each with a description."""
    csv = f"results/{table.name}.csv"
    cell = ",".join(f"{key}={value}" for key, value in row.key.items())
    lines = [
        ("check every byte and link behind it", ["repose", "audit", csv, "--cell", cell]),
        ("make it, and all that it needs", ["snakemake", "--cores", "all", csv]),
    ]
    names = [name.partition(":")[2] for name in row.branches if name.startswith("predictions:")]
    own = [name for name in names if row.key.get("method") in name.split("/")]
    for run in own:
        dataset, method, seed = run.split("/")
        where = [dataset, method, "--seed", seed.removeprefix("seed")]
        stages = ["train"] if f"run:{run}" in row.branches and _trains(table, run) else []
        lines += [(f"stage {stage}", ["repose", stage, *where]) for stage in (*stages, "predict", "score")]
    lines.append(("stage tables", ["repose", "tables", table.name]))
    return [(what, shlex.join(words)) for what, words in lines]


def _trains(table: Table, run: str) -> bool:
    """Return whether a run has its own training, and does not use the weights of another one."""
    node = table.root.parents.get(f"run:{run}")
    return node is not None and node.place.startswith(f"runs/{run}/")


def _table(name: str, csv: Path, medium: str) -> Table:
    text = read_table(csv)
    if text is None or not set(PLACE) <= set(text.columns):
        raise ReposeError("cannot be read as a table", csv, "run the workflow again")
    manifest = manifest_path(csv)
    root = grow(manifest, hashed=False)  # making the pages has already hashed what it reads
    metrics = metrics_of(root.manifest.history) if root.manifest else ()
    written = latex(module_of("repose.tables", medium).views(pd.read_csv(csv)))
    return Table(name, medium, root, rows_of(text, csv, manifest, {}), metrics, written)


def _seconds(manifest: Manifest) -> str:
    return f"{float(manifest.history['seconds']):,.1f} s"


def _memory(manifest: Manifest) -> str:
    return f"{float(manifest.history['peak_memory_mib']):,.0f} MiB"
