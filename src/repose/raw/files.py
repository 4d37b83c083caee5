"""Datasets of one file per mesh: what `convert` reads from an inventory of raw files."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from repose.config.datasets import Grid
from repose.errors import MeshError, ReposeError
from repose.mesh.formats.io import parse_mesh, read_bytes
from repose.mesh.mesh import Mesh
from repose.raw.inventory import Inventory, Wanted
from repose.raw.registry import Entry
from repose.raw.source import Item

Place = Callable[[str], tuple[int, int] | None]
"""A file's path → identity and pose, or None for a file that is no mesh of the dataset."""


def as_is(mesh: Mesh) -> Mesh:
    """For files that are in metres, y up."""
    return mesh


@dataclass(frozen=True)
class FileSource:
    """The meshes of a dataset whose files hold one mesh each; see `repose.raw.source.Source`.

    Args:
        inventory: the list that the stage `raw` made.
        root: where its files are.
        entry: the dataset.
        place: reads identity and pose off a path.
        finish: puts a mesh as it stands in the file into metres, y up.
        options: what of the config `finish` follows; a part of every key.
    """

    inventory: Path
    root: Path
    entry: Entry
    place: Place
    finish: Callable[[Mesh], Mesh] = as_is
    options: str = ""

    @property
    def licence(self) -> str:
        """The dataset's licence."""
        return self.entry.licence

    def items(self) -> list[Item]:
        """A mesh per file; its key is the hash of the file."""
        found: dict[tuple[int, int], Item] = {}
        for file in Inventory.read(self.inventory).files:
            place = self.place(file.path)
            if place is None:
                continue
            item = Item(*place, key=mesh_key(file.sha256, self.options), source=file.path)
            if place in found:
                raise ReposeError(
                    f"{found[place].source} and {item.source} are both identity {place[0]} in pose {place[1]}",
                    self.root,
                    "keep one",
                )
            found[place] = item
        return [found[place] for place in sorted(found)]

    def meshes(self, items: Sequence[Item]) -> Iterator[Mesh]:
        """Read the files, each checked against the hash in the inventory."""
        return map(self._mesh, items)

    def _mesh(self, item: Item) -> Mesh:
        path = self.root / item.source
        data = read_bytes(path)
        if mesh_key(hashlib.sha256(data).hexdigest(), self.options) != item.key:
            raise MeshError("has changed since the raw files were listed", path, "run the workflow again")
        mesh = as_float32(self.finish(parse_mesh(data, path)), path)
        check_counts(mesh, self.entry, path)
        return mesh


def located(raw: Path) -> tuple[Path, Path]:
    """An inventory and the root of its files, as worker processes elsewhere find them too."""
    return raw.absolute(), Inventory.read(raw).root.absolute()


def open_files(
    entry: Entry, raw: Path, place: Place, finish: Callable[[Mesh], Mesh] = as_is, options: str = ""
) -> FileSource:
    """The source of an inventory."""
    inventory, root = located(raw)
    return FileSource(inventory, root, entry, place, finish, options)


def mesh_key(*parts: object) -> str:
    """A hex digest of what a mesh follows from."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


def z_up(mesh: Mesh) -> Mesh:
    """From z up to y up: (x, y, z) → (x, z, -y)."""
    x, y, z = mesh.vertices.T
    return Mesh(np.stack([x, z, -y], axis=1), mesh.faces)


def grid_wanted(dataset: Grid, place: Place) -> Wanted:
    """Whether a file is of the identities and poses that the config asks for."""
    identities, poses = set(dataset.identities.all()), set(dataset.poses.all())

    def wanted(path: str) -> bool:
        found = place(path)
        return found is not None and found[0] in identities and found[1] in poses

    return wanted


def check_grid(dataset: Grid, place: Place, inventory: Inventory) -> None:
    """Refuse a set in which an identity lacks a pose.

    Raises:
        ReposeError: says how many meshes are missing, and the first.
    """
    found = {place(file.path) for file in inventory.files}
    wanted = [(i, p) for i in dataset.identities.all() for p in dataset.poses.all()]
    missing = [mesh for mesh in wanted if mesh not in found]
    if missing:
        raise ReposeError(
            f"{dataset.source} is incomplete: {len(missing)} of {len(wanted)} meshes are missing, "
            f"the first is identity {missing[0][0]} in pose {missing[0][1]}",
            inventory.root,
            "bring the rest, or choose fewer identities and poses in the config",
        )


def check_counts(mesh: Mesh, entry: Entry, where: object) -> None:
    """Refuse a mesh without the dataset's number of vertices and faces, where it has one."""
    counts = (len(mesh.vertices), len(mesh.faces))
    expected = (entry.vertices or counts[0], entry.faces or counts[1])
    if counts != expected:
        raise MeshError(
            f"{counts[0]} vertices and {counts[1]} faces, where {entry.name} has {expected[0]} and {expected[1]}",
            where,
        )


def as_float32(mesh: Mesh, where: object) -> Mesh:
    """The mesh with coordinates rounded to float32 values."""
    with np.errstate(over="ignore"):
        return Mesh(mesh.vertices.astype(np.float32), mesh.faces).validated(where)
