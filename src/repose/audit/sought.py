"""The thing that `repose audit --find` looks for: a mesh, image, raw file, dataset, method, code or artefact.

For a dataset, a method, code or an artefact it is enough to know which artefacts belong to it: everything made from
them depends on it. A mesh lies in a store that every stage opens, but few stages read the mesh. The lists of triples or
pairs that a stage was given tell whether it does.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import Literal

import pandas as pd

from repose.audit.tree import Node
from repose.columns import INPUTS, PAIR, TRIPLE
from repose.convert.catalog import mesh_numbers
from repose.errors import ReposeError
from repose.provenance.code import closure
from repose.raw.inventory import Inventory
from repose.reading import read_rows

EVERY = ""  # in place of a protocol: everything that was predicted or scored
DATA = ("raw", "convert", "store", "gih", "split", "neighbours", "benchmark")
_OF_METHODS = ("runs", "predictions", "scores", "render-scores", "neighbours")


@dataclass(frozen=True)
class Sought:
    """The thing that is looked for.

    Attributes:
        sources: the artefacts that belong to it, by place, each with the reason.
        dataset: dataset of `meshes`.
        meshes: names of meshes or images; stages read them if they are in their lists.
        unknown: why a dependence may have been missed.
    """

    sources: Mapping[str, str] = field(default_factory=dict)
    dataset: str = ""
    meshes: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()
    _rows: dict[str, pd.DataFrame] = field(default_factory=dict, init=False)  # lists, each read once

    def reads(self, node: Node) -> Iterator[tuple[str, str]]:
        """Yield protocol and use of the meshes in a stage that is given lists of them."""
        stage = node.stage
        if not self.meshes or stage in DATA or not _opens(node, self.dataset):
            return
        lists = dict(self._lists(node))
        if stage == "train" and (not lists or not _is_ours(node)):
            yield EVERY, "it opens all bodies of the dataset, and no list says which ones it reads"
            return
        rest = _rest_pose(node)
        for name, rows in lists.items():
            if how := [*_named(self.meshes, rows), *_around(self.meshes, rows, rest, stage == "train")]:
                yield EVERY if stage == "train" else name, f"splits/{self.dataset}/{name} ({'; '.join(how)})"
        if stage != "train" and "train" in lists and (why := _product(self.meshes, lists.values())):
            yield EVERY, why  # generated poses, whose bodies are in no triple

    def _lists(self, node: Node) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield the lists of triples or pairs that a stage was given, by the name of the split's part."""
        for parent in node.parents.values():
            # A versioned list of the benchmark has the triples of a part of the split.
            split = parent.parents["split"] if parent.stage == "benchmark" else parent
            if split.place.startswith(f"splits/{self.dataset}/"):
                part = split.title.rpartition("/")[2]
                if part not in self._rows:
                    path = split.path.parent / f"{part}.parquet"
                    self._rows[part] = read_rows(path, "not a list of a split")
                yield part, self._rows[part]

    def passes(self, parent: Node) -> bool:
        """Return whether everything made from an artefact depends on the same things.

        For meshes, data do not pass a dependence on, because they hold all meshes; `reads` tells who reads which.
        """
        return not (self.meshes and parent.stage in DATA)

    def all_of_scorer(self, parent: Node) -> str | None:
        """Return why a scorer depends on the meshes whatever its lists contain."""
        if self.meshes and _opens(parent, self.dataset):
            return "it tells bodies of the dataset apart, those of the tests in other poses"
        return None


def sought(text: str, nodes: Mapping[str, Node]) -> Sought:
    """Parse `mesh:open-human/id3_17` and similar texts.

    Args:
        text: kind and name.
        nodes: all artefacts by their place.

    Raises:
        ReposeError: there is no such kind, or nothing of that name behind the artefacts.
    """
    bodies = {kind: partial(_body, kind) for kind in ("mesh", "image")}
    kinds = bodies | {"raw": _raw_file, "dataset": _of_dataset, "method": _of_method, "code": _of_code}
    kinds |= {"artefact": _artefact}
    kind, _, name = text.partition(":")
    if kind not in kinds or not name:
        raise ReposeError(
            f"--find {text!r} is not of the form mesh:open-human/id3_17",
            hint=f"kinds are {', '.join(kinds)}",
        )
    return kinds[kind](name, nodes)


# Kinds of things to look for


def _body(kind: str, name: str, nodes: Mapping[str, Node]) -> Sought:
    dataset, _, body = name.partition("/")
    known = _names(_catalog(dataset, nodes))
    if body not in set(known):
        raise ReposeError(
            f"{dataset} has no {kind} {body!r}",
            hint=f"it has {len(known)}, such as {known[0]}",
        )
    return Sought(dataset=dataset, meshes=frozenset([body]))


def _raw_file(name: str, nodes: Mapping[str, Node]) -> Sought:
    """Return the meshes that came from a raw file, or all of the dataset if that is not recorded."""
    dataset, _, file = name.partition("/")
    node = _data("raw", dataset, nodes)
    files = [f.path for path in node.inventories for f in Inventory.read(path).files] or list(node.files)
    found = [path for path in files if path == file or path.endswith(f"/{file}")]
    if len(found) != 1:
        what = f"{len(found)} raw files of {dataset} are" if found else f"no raw file of {dataset} is"
        raise ReposeError(
            f"{what} named {file!r}", hint=f"it has {len(files)}, such as {(found or files)[0]}"
        )
    rows = _catalog(dataset, nodes)
    made = pd.Series(_names(rows))[[str(s) == found[0] for s in rows.source]]
    if len(made):
        return Sought(dataset=dataset, meshes=frozenset(made))
    return Sought({node.place: f"{found[0]} is one of its raw files; which bodies came from it is not noted"})


def _of_dataset(name: str, nodes: Mapping[str, Node]) -> Sought:
    _data("raw", name, nodes)
    return Sought({place: "it is of the dataset" for place in nodes if place.startswith(f"data/{name}/")})


def _of_method(name: str, nodes: Mapping[str, Node]) -> Sought:
    parts = {place: place.split("/") for place in nodes}
    of = {place: p[2] for place, p in parts.items() if p[0] in _OF_METHODS and len(p) > 2}
    of = {place: method.removesuffix(".manifest.json") for place, method in of.items()}
    if name not in of.values():
        raise ReposeError(
            f"no method named {name!r}", hint=f"there are {', '.join(dict.fromkeys(of.values()))}"
        )
    return Sought({place: "it is of the method" for place, method in of.items() if method == name})


def _of_code(name: str, nodes: Mapping[str, Node]) -> Sought:
    """Return artefacts whose code, as installed now, imports a module; a bare name stands for a method's folder."""
    wanted = name if "." in name else f"repose.methods.{name}"
    found, unknown = {}, set()
    for place, node in nodes.items():
        try:
            modules = closure(*node.history["modules"])
        except ModuleNotFoundError as error:
            unknown.add(f"{node.stage} of {node.title} was made by code that is not installed: {error}")
            continue
        used = [module for module in modules if module == wanted or module.startswith(f"{wanted}.")]
        if used:
            found[place] = f"its code has {used[0]}" + (f" and {len(used) - 1} more" if len(used) > 1 else "")
    if not found:
        raise ReposeError(
            f"no code named {wanted!r} made any of these {len(nodes)} artefacts",
            hint="give a module of repose, or the folder of a system",
        )
    return Sought(found, unknown=tuple(sorted(unknown)))


def _artefact(name: str, nodes: Mapping[str, Node]) -> Sought:
    wanted = PurePosixPath(name.removeprefix("results/")).as_posix().removesuffix(".manifest.json")
    for place, node in nodes.items():
        files = [(PurePosixPath(place).parent / file).as_posix() for file in node.files]
        if wanted in (node.title, *files):
            return Sought({place: "it is the artefact"})
    raise ReposeError(
        f"no artefact {name!r}", hint="name it by its place in the results, such as splits/open-human/train"
    )


def _catalog(dataset: str, nodes: Mapping[str, Node]) -> pd.DataFrame:
    node = _data("catalog", dataset, nodes)
    return read_rows(node.path.parent / "catalog.parquet", "not a catalogue")


def _data(kind: str, dataset: str, nodes: Mapping[str, Node]) -> Node:
    """Return the data of a dataset: its raw data, or its catalogue."""
    try:
        return nodes[f"data/{dataset}/{kind}.manifest.json"]
    except KeyError:
        there = sorted({place.split("/")[1] for place in nodes if place.startswith("data/")})
        raise ReposeError(f"no dataset named {dataset!r}", hint=f"there are {', '.join(there)}") from None


def _names(catalog: pd.DataFrame) -> list[str]:
    return list(catalog["mesh_id" if "mesh_id" in catalog else "image_id"])


# Stages that read a mesh


def _opens(node: Node, dataset: str) -> bool:
    """Return whether a stage was given the bodies of a dataset."""
    return any(p.place.startswith(f"data/{dataset}/") for p in node.parents.values())


def _is_ours(node: Node) -> bool:
    """Return whether a training belongs to this package, whose trainings read what their lists name."""
    return all(name.partition(".")[0] == "repose" for name in node.history["modules"])


def _rest_pose(node: Node) -> int | Literal["identity"] | None:
    """Return the pose in which a method is also told the bodies of its triples."""
    method = node.history["params"].get("method")
    rest = method.get("rest_pose") if isinstance(method, dict) else None
    return rest if isinstance(rest, int) or rest == "identity" else None


def _named(meshes: frozenset[str], rows: pd.DataFrame) -> Iterator[str]:
    """Yield how often triples or pairs name the meshes, by the role of the row and the column."""
    roles = rows.role if "role" in rows else pd.Series("test", index=rows.index)
    for role, some in rows.groupby(roles, sort=False):
        columns = [column for column in (*TRIPLE, *PAIR) if column in some]
        counts = {c.replace("_", " "): int(some[c].isin(meshes).sum()) for c in columns}
        if said := [f"{count} × {what}" for what, count in counts.items() if count]:
            yield f"{role}: {', '.join(said)}"


def _around(
    meshes: frozenset[str], rows: pd.DataFrame, rest: int | Literal["identity"] | None, pool: bool
) -> Iterator[str]:
    """Yield meshes that are read although no triple names them: bodies at rest, trained bodies in trained poses."""
    if "pose_mesh" not in rows:
        return
    identities, poses = _numbers(rows)
    pairs = zip(rows.identity_mesh.map(mesh_numbers), rows.pose_mesh.map(mesh_numbers), strict=True)
    matched = {(j, p) for (_, p), (j, _) in pairs} if rest == "identity" else set()
    for name in sorted(meshes):
        identity, pose = mesh_numbers(name)
        if (identity, pose) in matched:
            yield "a pose body in the pose of its identity mesh"
        if identity in identities and pose == rest:
            yield "a body of its triples, at rest"
        elif pool and identity in identities and pose in poses and not rows.isin([name]).any(axis=None):
            yield "in no triple, but a trained body in a trained pose, which some methods read"


def _product(meshes: frozenset[str], lists: Iterable[pd.DataFrame]) -> str | None:
    numbers = [_numbers(rows) for rows in lists if "pose_mesh" in rows]
    identities = set().union(*(i for i, _ in numbers))
    poses = set().union(*(p for _, p in numbers))
    if any(i in identities and p in poses for i, p in map(mesh_numbers, meshes)):
        return "a body in a pose of the lists, to which generated poses are compared"
    return None


def _numbers(rows: pd.DataFrame) -> tuple[set[int], set[int]]:
    pairs = {mesh_numbers(name) for c in INPUTS for name in rows[c].unique()}
    return {i for i, _ in pairs}, {p for _, p in pairs}
