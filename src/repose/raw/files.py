"""The source of datasets with one file per mesh, and functions that all readers of meshes share."""

import hashlib
import json
from collections.abc import Iterator, Sequence

import numpy as np

from repose.errors import MeshError, ReposeError
from repose.mesh.formats.files import read_bytes
from repose.mesh.formats.io import parse_mesh
from repose.mesh.mesh import Mesh
from repose.raw.file_per_mesh import MeshFiles
from repose.raw.keys import mesh_key
from repose.raw.licensed import Listed
from repose.raw.settings import Dataset
from repose.raw.source import Item

# Settings that no mesh depends on: which meshes are used, where they are, and what is drawn from them.
NOT_OF_A_MESH = ("source", "folder", "identities", "poses", "pairs", "seed", "protocols", "test_list")


class FileSource(Listed[MeshFiles]):
    """The meshes of a dataset whose files hold one mesh each; see `repose.raw.source.Source`."""

    def items(self) -> list[Item]:
        """Return one mesh per file; its key covers the file and the settings that the mesh may depend on.

        Raises:
            ReposeError: two files have the same identity and pose.
        """
        found: dict[tuple[int, int], Item] = {}
        for file in self.files:
            place = self.dataset.place(file.path)
            if place is None:
                continue
            item = Item(*place, key=self._key(file.sha256), source=file.path)
            if place in found:
                raise ReposeError(
                    f"{found[place].source} and {item.source} are both identity {place[0]} in pose {place[1]}",
                    self.root,
                    "keep one",
                )
            found[place] = item
        return [found[place] for place in sorted(found)]

    def meshes(self, items: Sequence[Item]) -> Iterator[Mesh]:
        """Read the files, each checked against the hash in the inventory.

        Raises:
            MeshError: the next file is damaged, has changed, or does not have the dataset's number of vertices and
                faces.
        """
        return map(self._mesh, items)

    def _mesh(self, item: Item) -> Mesh:
        path = self.root / item.source
        data = read_bytes(path)
        if self._key(hashlib.sha256(data).hexdigest()) != item.key:
            raise MeshError("has changed since the raw files were listed", path, "run the workflow again")
        return checked(self.dataset.finish(parse_mesh(data, path)), self.dataset, path)

    def _key(self, sha256: str) -> str:
        settings = self.dataset.model_dump(mode="json", exclude=set(NOT_OF_A_MESH))
        return mesh_key(sha256, json.dumps(settings, sort_keys=True))


def in_unit_box(
    vertices: np.ndarray,  # (V, 3)
    template: np.ndarray,  # (V, 3)
) -> np.ndarray:
    """Return vertices (V, 3) moved and scaled so that their template's box is centred at 0, with longest side 1.

    Raises:
        MeshError: the template is a point, or not finite.
    """
    points = np.asarray(template, np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    side = float((high - low).max())
    if not 0 < side < np.inf:
        raise MeshError(f"the template's box has a longest side of {side}")
    return (vertices - (low + high) / 2) / side


def z_up(mesh: Mesh) -> Mesh:
    """Return a mesh with z up as one with y up: (x, y, z) → (x, z, -y)."""
    x, y, z = mesh.vertices.T
    return Mesh(np.stack([x, z, -y], axis=1), mesh.faces)


def checked(mesh: Mesh, dataset: Dataset, where: object) -> Mesh:
    """Return the mesh with coordinates rounded to float32 values.

    Raises:
        MeshError: the mesh is empty, a coordinate is not finite in float32, a face is out of range, or the number of
            vertices or faces is not that of the dataset, if all its meshes have the same.
    """
    with np.errstate(over="ignore"):
        rounded = Mesh(mesh.vertices.astype(np.float32), mesh.faces).validated(where)
    counts = (len(mesh.vertices), len(mesh.faces))
    expected = (dataset.entry.vertices or counts[0], dataset.entry.faces or counts[1])
    if counts != expected:
        raise MeshError(
            f"{counts[0]} vertices and {counts[1]} faces, where {dataset.source} has {expected[0]} and {expected[1]}",
            where,
        )
    return rounded
