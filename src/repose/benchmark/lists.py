"""Versioned lists of triples: their text, which identifies them, their flags, and hashes of the named meshes.

A list is a text in UTF-8 with LF. Its first line is `#pt-mesh/1 <dataset> <list> <rows>`; every other line is
`triple_id identity_mesh pose_mesh truth_mesh flags`, separated by tabs; `-` means no truth, or no flags. The sha256 of
these bytes identifies the list. Hashes of the meshes' contents lie beside it, because names prove nothing.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from repose import specs
from repose.benchmark import VERSION
from repose.benchmark.variants import named, numbers_of, renamed, variant
from repose.columns import TRIPLE
from repose.convert.catalog import mesh_digest, mesh_id, read_catalog
from repose.errors import ReposeError
from repose.mesh.mesh import Mesh
from repose.provenance.making import making
from repose.raw.settings import Dataset
from repose.reading import read_rows, read_text
from repose.store.mesh_store import MeshStore

FLAGS = ("same-identity", "same-pose", "repeated-truth", "seen-pose", "seen-identity")
APART = frozenset(FLAGS[:3])  # rows with one of these flags are not headline rows
RELEASED = "released.csv"  # lists of the default config and of owners.yaml, which no later config may change
CARDS = "cards.yaml"  # facts about released lists whose meshes are under a licence
MOST = 10_000  # rows, whose numbers have four digits
_HEAD = re.compile(rf"#{re.escape(VERSION)} ([a-z0-9-]+) ([a-z0-9-]+) (\d{{1,5}})")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Row:
    """One triple of a list."""

    triple_id: str
    identity_mesh: str
    pose_mesh: str
    truth_mesh: str | None
    flags: tuple[str, ...] = ()

    @property
    def is_headline(self) -> bool:
        """Whether it counts in the headline numbers; other rows are reported separately."""
        return not APART & set(self.flags)

    @property
    def meshes(self) -> list[str]:
        """The meshes that it names."""
        return [name for name in (self.identity_mesh, self.pose_mesh, self.truth_mesh) if name]


@dataclass(frozen=True)
class List:
    """A list of triples of one dataset."""

    dataset: str
    name: str
    rows: tuple[Row, ...]

    @cached_property
    def text(self) -> str:
        """The text of its file."""
        lines = [f"#{VERSION} {self.dataset} {self.name} {len(self.rows)}"]
        for row in self.rows:
            flags = ",".join(row.flags) or "-"
            lines.append(
                "\t".join([row.triple_id, row.identity_mesh, row.pose_mesh, row.truth_mesh or "-", flags])
            )
        return "\n".join(lines) + "\n"

    @cached_property
    def sha256(self) -> str:
        """The sha256 that identifies it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def by_id(self) -> dict[str, Row]:
        """Its rows by id, in their order."""
        return {row.triple_id: row for row in self.rows}

    @property
    def triples(self) -> pd.DataFrame:
        """Its rows with columns triple_id, identity_mesh, pose_mesh, truth_mesh and headline."""
        columns = ["triple_id", *TRIPLE]
        table = pd.DataFrame([[getattr(row, c) for c in columns] for row in self.rows], columns=columns)
        return table.assign(headline=[row.is_headline for row in self.rows])

    @property
    def has_truths(self) -> bool:
        """Whether it has truths and can be scored."""
        return all(row.truth_mesh for row in self.rows)

    @cached_property
    def source(self) -> int | None:
        """The one body that shows all poses, as in track S; None: there are several."""
        sources = {numbers_of(row.pose_mesh)[0] for row in self.rows}
        return sources.pop() if len(sources) == 1 else None

    def further(self, names: Iterable[str]) -> list[str]:
        """Return which of some meshes are further poses of that body, not tested, which track S hands out."""
        tested = {numbers_of(row.pose_mesh)[1] for row in self.rows}
        places = {name: numbers_of(name) for name in names}
        return [name for name, (i, p) in places.items() if i == self.source and p not in tested]

    @property
    def has_other_triangles(self) -> bool:
        """Whether the pose meshes' vertices correspond to no identity, so that no track may give a correspondence."""
        return any(named(row.pose_mesh).kind in specs.OTHER_TRIANGLES for row in self.rows)

    def bodies_tested(self) -> tuple[set[int], set[int]]:
        """Identities and poses that no training may have seen."""
        truths = [(row.flags, numbers_of(row.truth_mesh or row.identity_mesh)) for row in self.rows]
        identities = {numbers[0] for flags, numbers in truths if "seen-identity" not in flags}
        poses = {numbers_of(row.pose_mesh)[1] for row in self.rows if "seen-pose" not in row.flags}
        return identities, poses


def is_released(dataset: str, name: str, sha256: str) -> bool:
    """Return whether a list is published under its name; other lists come from a user's own config."""
    lines = files("repose.benchmark").joinpath(RELEASED).read_text(encoding="utf-8").splitlines()
    return f"{dataset},{name},{sha256}" in lines


def known_of(listing: "List") -> dict[str, str]:
    """Return the card of a released list: what it is, the origin of its rows, its alignment, and what is unknown.

    It is empty for lists without a card, such as those of open datasets, which the configuration describes completely.
    """
    if not is_released(listing.dataset, listing.name, listing.sha256):
        return {}
    text = files("repose.benchmark").joinpath(CARDS).read_text(encoding="utf-8")
    found: dict[str, str] = yaml.safe_load(text).get(f"{listing.dataset}/{listing.name}", {})
    return found


def derive(dataset: str, name: str, triples: pd.DataFrame, training: pd.DataFrame) -> List:
    """Return the list of a part of a dataset's split.

    Args:
        dataset: name of the dataset.
        name: name of the part, such as `unseen`.
        triples: columns identity_mesh, pose_mesh, truth_mesh.
        training: the same columns for the part `train`, including the rows that select the weights.

    Raises:
        ReposeError: the part has more rows than four-digit numbers allow.
    """
    if len(triples) > MOST:
        raise ReposeError(f"{len(triples)} rows", f"{dataset}/{name}", f"a list has at most {MOST}")
    seen = {numbers_of(m) for c in TRIPLE for m in training[c] if m}
    identities, poses = {i for i, _ in seen}, {p for _, p in seen}
    rows, truths, kind = [], set[str](), specs.part_and_variant(name)[1]
    for number, triple in enumerate(triples.itertuples(index=False)):
        (i, p), (j, q) = numbers_of(triple.identity_mesh), numbers_of(triple.pose_mesh)
        pose, truth = triple.pose_mesh, triple.truth_mesh if isinstance(triple.truth_mesh, str) else None
        if kind:
            pose, truth = renamed(pose, truth, kind)
        holds = (i == j, p == q, truth in truths, q in poses, i in identities)
        flags = tuple(flag for flag, is_so in zip(FLAGS, holds, strict=True) if is_so)
        rows.append(Row(f"{dataset}-{name}-{number:04}", triple.identity_mesh, pose, truth, flags))
        truths |= {truth} if truth else set()
    return List(dataset, name, tuple(rows))


def read_list(path: Path) -> List:
    """Read a list; writing it again gives the same text.

    Raises:
        ReposeError: the list is missing, of another version, or malformed.
    """
    text = read_text(path)
    lines = text.split("\n")
    head = _HEAD.fullmatch(lines[0])
    if not head:
        raise ReposeError(f"{lines[0][:80]!r} is no header of a list of {VERSION}", f"{path}:1")
    rows = tuple(_row(line, f"{path}:{number}") for number, line in enumerate(lines[1:-1], 2))
    found = List(head[1], head[2], rows)
    if found.text != text or len(found.by_id) != len(rows):
        raise ReposeError("not of the form of a list: rows, ids or ends of lines", path, "fetch it again")
    return found


def _row(line: str, where: str) -> Row:
    fields = line.split("\t")
    if len(fields) != 5:
        raise ReposeError(f"{len(fields)} fields, not 5", where)
    flags = () if fields[4] == "-" else tuple(fields[4].split(","))
    if unknown := set(flags) - set(FLAGS):
        raise ReposeError(f"no flag {min(unknown)!r}", where, f"flags are {', '.join(FLAGS)}")
    for name in [name for name in fields[1:4] if name != "-"]:
        numbers_of(name)
    return Row(fields[0], fields[1], fields[2], None if fields[3] == "-" else fields[3], flags)


def hashes_path(out: Path) -> Path:
    """Return the path of the mesh hashes of a list."""
    return out.with_name(f"{out.stem}.meshes.txt")


def hashes_text(listing: List, hashes: Mapping[str, str]) -> str:
    """Return a header, and for each mesh a line `mesh_id sha256`, separated by a tab."""
    lines = [f"#{VERSION} meshes {listing.dataset} {listing.name} {len(hashes)}"]
    return "\n".join([*lines, *(f"{name}\t{hashes[name]}" for name in sorted(hashes))]) + "\n"


def read_hashes(path: Path) -> dict[str, str]:
    """Read the sha256 of the content of each mesh of a list, as `repose.convert.catalog.mesh_digest` computes it.

    Raises:
        ReposeError: the file is missing or malformed.
    """
    found = {}
    for number, line in enumerate(read_text(path).splitlines()[1:], 2):
        name, _, digest = line.partition("\t")
        if not _SHA256.fullmatch(digest):
            raise ReposeError("not `mesh_id sha256`", f"{path}:{number}")
        found[name] = digest
    return found


def run(
    dataset: Dataset,
    name: str,
    part: str,
    catalog: Path,
    split: Path,
    train: Path,
    out: Path,
    store: Path | None = None,
) -> None:
    """Stage `benchmark`: write the list of a part of a dataset's split, and the hashes of its meshes.

    Args:
        dataset: states which pose is at rest, if any.
        name: name of the dataset.
        part: part of its split, or `{part}-{variant}`.
        catalog, split, train: the available meshes, the triples of the part, and those of the part `train`.
        out: the list.
        store: the packed meshes that variants are made from.

    Raises:
        ReposeError: the dataset has no meshes, or too many triples.
    """
    if dataset.medium != "meshes":
        raise ReposeError(f"a list of {VERSION} is of meshes", name, f"{name} has {dataset.medium}")
    inputs = {"catalog": catalog, "split": split, "train": train} | ({"store": store} if store else {})
    with making(specs.benchmark_list(dataset, name, part), out, inputs, later=("store",)) as new:
        if new.finished:
            return
        listing = derive(name, part, read_rows(split), read_rows(train))
        known = dict(read_catalog(catalog)[["mesh_id", "sha256"]].itertuples(index=False))
        named_ones = [*_named(listing, dataset.rest_pose), *listing.further(known)]
        hashes = {mesh: known[mesh] for mesh in named_ones if mesh in known}
        if store:
            meshes = MeshStore(store)
            varied = sorted({mesh for row in listing.rows for mesh in row.meshes if named(mesh).kind})
            hashes |= {mesh: mesh_digest(variant(stored(meshes, mesh), mesh)) for mesh in varied}
        new.text(out, listing.text)
        new.text(hashes_path(out), hashes_text(listing, hashes))
        headline = sum(row.is_headline for row in listing.rows)
        new.describe = {"rows": len(listing.rows), "headline": headline, "meshes": len(hashes)}


def stored(store: MeshStore, name: str) -> Mesh:
    """Return the mesh of a store that a name refers to, also for the name of a variant."""
    row = store.index_of(named(name).mesh)
    return Mesh(store.vertices(np.array([row]))[0], store.faces)


def _named(listing: List, rest_pose: int | None) -> Iterator[str]:
    """Yield all meshes of a list, and the bodies at rest that some tracks hand out."""
    for row in listing.rows:
        yield from row.meshes
        if rest_pose is not None:
            yield from (rest_of(mesh, rest_pose) for mesh in row.meshes)


def rest_of(mesh: str, rest_pose: int) -> str:
    """Return the name of a mesh's body at rest."""
    return mesh_id(numbers_of(mesh)[0], rest_pose)
