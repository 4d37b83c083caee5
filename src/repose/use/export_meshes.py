"""Write packed meshes as .obj files under the names and numbers that published loaders find.

The loaders of NPT, 3D-CoreNet and MAPConNet name a file by its numbers, which they draw: identities 0-15 and poses
200-599 in training. The published test lists have identities from 16 and poses from 600 on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd

from repose.convert.catalog import mesh_id, mesh_numbers
from repose.errors import ReposeError
from repose.mesh.formats.obj import format_obj
from repose.mesh.mesh import Mesh
from repose.progress import track
from repose.provenance.publish import publish
from repose.raw.settings import Dataset, Grid
from repose.reading import foreign, read_rows
from repose.split.triples import write_list
from repose.store.mesh_store import MeshStore

TRAIN_IDENTITIES, TRAIN_POSES = range(16), range(200, 600)
FIRST_TEST_IDENTITY, FIRST_TEST_POSE = 16, 600
TEST_LIST = "human_test_list"


@dataclass(frozen=True)
class Released:
    """Where a published loader looks for its meshes.

    Attributes:
        folder: of the meshes.
        name: of a mesh, without its suffix, by its numbers `i` and `p`.
        has_list: whether its test reads a list of names.
    """

    folder: str
    name: str
    has_list: bool


LAYOUTS: Mapping[str, Released] = {
    "npt": Released("smpl_data", "{i}_{p}", has_list=False),
    "3d-corenet": Released("npt-data", "id{i}_{p}", has_list=True),
    "mapconnet": Released("npt-data", "id{i}_{p}", has_list=True),
}


@dataclass(frozen=True)
class Numbering:
    """The published number of each identity and each pose of a dataset that has one, by its own number."""

    identities: Mapping[int, int]
    poses: Mapping[int, int]

    @classmethod
    def of(cls, dataset: Grid) -> "Numbering":
        """Training first, as far as the loaders' numbers go, then the test; those for validation have none."""
        return cls(
            _numbered(dataset.identities.numbers(), TRAIN_IDENTITIES, FIRST_TEST_IDENTITY),
            _numbered(dataset.poses.numbers(), TRAIN_POSES, FIRST_TEST_POSE),
        )

    def published(self, mesh: str, name: str) -> str:
        """The published name of a mesh, of the form `name`."""
        identity, pose = mesh_numbers(mesh)
        try:
            return name.format(i=self.identities[identity], p=self.poses[pose])
        except KeyError:
            raise ReposeError(f"{mesh} is neither a training nor a test mesh of the config") from None


def export_meshes(dataset: Dataset, store: Path, triples: Path, layout: str, out: Path) -> list[str]:
    """Write all training and test identities in all training and test poses, and the list of the test.

    Args:
        dataset: says which identities and poses are of which part.
        store: the packed meshes.
        triples: of the protocol `unseen`, for the list; NPT has none.
        layout: whose loader is to find them.
        out: the folder to make; one that is there is refused.

    Returns:
        What to print: the numbers that identities and poses have got.

    Raises:
        ReposeError: `out` is there, the layout is not known, the dataset has no common poses, a mesh is not in the
            store, or there are no triples.
    """
    if layout not in LAYOUTS:
        raise ReposeError(f"no layout {layout!r}", hint=f"there are {', '.join(LAYOUTS)}")
    if not isinstance(dataset, Grid):
        raise ReposeError(
            f"the identities of {dataset.source} are not meshes in the same poses",
            hint="the published loaders take a mesh of every identity in every pose",
        )
    if out.exists():
        raise ReposeError("is there already", out, "name a new folder")
    released, numbering, packed = LAYOUTS[layout], Numbering.of(dataset), MeshStore(store)
    rows = {
        packed.index_of(mesh_id(i, p)): released.name.format(i=numbering.identities[i], p=numbering.poses[p])
        for i in numbering.identities
        for p in numbering.poses
    }
    listed = _renamed(triples, numbering, released.name) if released.has_list else None
    with publish(out) as private:
        (private / released.folder).mkdir(parents=True)
        for row, name in track(rows.items(), len(rows), "meshes"):
            [vertices] = packed.vertices(np.array([row]))
            file = private / released.folder / f"{name}.obj"
            file.write_bytes(format_obj(Mesh(vertices, packed.faces)))
        if listed is not None:
            write_list(listed, private / TEST_LIST)
    return described(dataset)


def described(dataset: Grid) -> list[str]:
    """A line each for identities and poses: their numbers, and whether a loader draws more or fewer of them."""
    return [
        _described("identities", dataset.identities.numbers(), TRAIN_IDENTITIES, FIRST_TEST_IDENTITY),
        _described("poses", dataset.poses.numbers(), TRAIN_POSES, FIRST_TEST_POSE),
    ]


def _described(kind: str, parts: Mapping[str, list[int]], drawn: range, first_test: int) -> str:
    has, last = len(parts["train"]), first_test + len(parts["test"]) - 1
    numbers = drawn[:has]
    said = f"{kind}: {numbers[0]}-{numbers[-1]} for training, {first_test}-{last} for the test"
    if has < len(drawn):
        return f"{said}; the loader draws {drawn[0]}-{drawn[-1]}, so lower its bound"
    return said if has == len(drawn) else f"{said}; {has - len(drawn)} of the training are left out"


def _numbered(parts: Mapping[str, list[int]], train: range, first_test: int) -> dict[int, int]:
    tested = zip(parts["test"], count(first_test), strict=False)
    return dict(zip(parts["train"], train, strict=False)) | dict(tested)


def _renamed(path: Path, numbering: Numbering, name: str) -> pd.DataFrame:
    if not path.exists():
        raise ReposeError("no triples", path, "run the workflow for its splits first")
    columns = ["identity_mesh", "pose_mesh", "truth_mesh"]
    what, hint = "not a list of triples", "make the splits again"
    with foreign(path, what, hint):
        triples = read_rows(path, what, hint)[columns]
    return triples.map(lambda mesh: numbering.published(mesh, name))
