"""Write packed meshes as files with the names and numbers that published loaders expect.

The loaders of NPT, 3D-CoreNet and MAPConNet name a file by its numbers, which they draw in training. The published test
lists use other numbers in the same ranges, or numbers beyond them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, filterfalse
from pathlib import Path

import numpy as np
import pandas as pd

from repose.columns import TRIPLE
from repose.convert.catalog import mesh_id, mesh_numbers
from repose.errors import ReposeError
from repose.mesh.formats.io import write_mesh
from repose.mesh.mesh import Mesh
from repose.numbers import collapse, expand
from repose.progress import track
from repose.provenance.publish import publish
from repose.raw.settings import Dataset, Grid
from repose.raw.smal import TRAINING_TOYS
from repose.reading import foreign, read_rows
from repose.store.mesh_store import MeshStore


@dataclass(frozen=True)
class Released:
    """The place and names of meshes that a published loader expects.

    Attributes:
        folder: folder of the meshes.
        name: name of a file, by its numbers `i` and `p`.
        test_list: the list of names that its test reads, if it reads one.
        identities, poses: the numbers that it draws in training, and the first number for the test; test numbers count
            up from there and skip those of the training.
    """

    folder: str
    name: str
    test_list: str | None
    identities: tuple[Sequence[int], int] = (range(16), 16)
    poses: tuple[Sequence[int], int] = (range(200, 600), 600)


_TOYS = (tuple(expand(TRAINING_TOYS)), 16), (range(400), 400)
LAYOUTS: Mapping[str, Released] = {
    "npt": Released("smpl_data", "{i}_{p}.obj", None),
    "3d-corenet": Released("npt-data", "id{i}_{p}.obj", "human_test_list"),
    "mapconnet": Released("npt-data", "id{i}_{p}.obj", "human_test_list"),
    "3d-corenet-animal": Released("smal-data", "toy_{i}_{p}.ply", "animal_test_list", *_TOYS),
    "mapconnet-animal": Released("smal-data", "toy_{i}_{p}.ply", "animal_test_list", *_TOYS),
}


@dataclass(frozen=True)
class Numbering:
    """The published number of each identity and each pose of a dataset, by the dataset's own number."""

    identities: Mapping[int, int]
    poses: Mapping[int, int]

    def published(self, mesh: str, name: str) -> str:
        """Return the published name of a mesh, of the form `name`."""
        identity, pose = mesh_numbers(mesh)
        try:
            return name.format(i=self.identities[identity], p=self.poses[pose])
        except KeyError:
            raise ReposeError(f"{mesh} is neither a training nor a test mesh of the config") from None


def export_meshes(dataset: Dataset, store: Path, triples: Path, layout: str, out: Path) -> list[str]:
    """Write all training and test identities in all training and test poses, and the list of the test.

    Files are .obj or .ply, depending on the loader.

    Args:
        dataset: states the part of each identity and pose.
        store: the packed meshes.
        triples: triples of the protocol `unseen`, for the list; NPT has no list.
        layout: name of the method whose loader reads them.
        out: the folder to create, which must not exist.

    Returns:
        Lines to print: the numbers given to identities and poses.

    Raises:
        ReposeError: `out` exists, the layout is not known, the dataset has no common poses, a mesh is not in the store,
            or there are no triples.
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
    released, packed = LAYOUTS[layout], MeshStore(store)
    identities, poses = dataset.identities.numbers(), dataset.poses.numbers()
    numbering = Numbering(_numbered(identities, *released.identities), _numbered(poses, *released.poses))
    rows = {
        packed.index_of(mesh_id(i, p)): released.name.format(i=numbering.identities[i], p=numbering.poses[p])
        for i in numbering.identities
        for p in numbering.poses
    }
    listed = _renamed(triples, numbering, released.name) if released.test_list else None
    with publish(out) as private:
        (private / released.folder).mkdir(parents=True)
        for row, name in track(rows.items(), len(rows), "meshes"):
            [vertices] = packed.vertices(np.array([row]))
            write_mesh(private / released.folder / name, Mesh(vertices, packed.faces))
        if released.test_list and listed is not None:
            lines = [f"{' '.join(row)}\n" for row in listed.itertuples(index=False)]
            (private / released.test_list).write_text("".join(lines), encoding="utf-8")
    return [
        _described("identities", identities, *released.identities),
        _described("poses", poses, *released.poses),
    ]


def _described(kind: str, parts: Mapping[str, list[int]], drawn: Sequence[int], first_test: int) -> str:
    """Return the numbers of identities or poses, and whether the loader draws more or fewer of them."""
    numbered, has = _numbered(parts, drawn, first_test), len(parts["train"])
    train, test = (
        collapse([numbered[n] for n in parts[part] if n in numbered]) for part in ("train", "test")
    )
    said = f"{kind}: {train} for training, {test} for the test"
    if has < len(drawn):
        return f"{said}; the loader draws {collapse(drawn)}, so lower its bound"
    return said if has == len(drawn) else f"{said}; {has - len(drawn)} of the training are left out"


def _numbered(parts: Mapping[str, list[int]], train: Sequence[int], first_test: int) -> dict[int, int]:
    """Number the training part first, as far as the loader's numbers go, then the test; validation gets no numbers."""
    free = filterfalse(set(train).__contains__, count(first_test))
    return dict(zip(parts["train"], train, strict=False)) | dict(zip(parts["test"], free, strict=False))


def _renamed(path: Path, numbering: Numbering, name: str) -> pd.DataFrame:
    if not path.exists():
        raise ReposeError("no triples", path, "run the workflow for its splits first")
    what, hint = "not a list of triples", "make the splits again"
    with foreign(path, what, hint):
        triples = read_rows(path, what, hint)[TRIPLE]
    return triples.map(lambda mesh: numbering.published(mesh, name))
