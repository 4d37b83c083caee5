"""The local files of a versioned list, and how predictions of it are stored."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zarr

from repose.benchmark.listed_meshes import ListedMeshes
from repose.benchmark.lists import List, hashes_path, read_hashes, read_list
from repose.columns import TRIPLE
from repose.provenance.manifest import load, manifest_path
from repose.store.mesh_store import MeshStore

CHUNK = 10


class Sources(NamedTuple):
    """The local files of a list.

    Attributes:
        listed: the list.
        store: packed meshes of its dataset.
        recipe: the recipe of a generated dataset, which states the parts of its bodies; None for other datasets.
    """

    listed: Path
    store: Path
    recipe: Path | None = None

    @property
    def meshes(self) -> dict[str, Path]:
        """Return the inputs that the list's meshes depend on, by name."""
        return {"listed": self.listed, "store": self.store}

    @property
    def all(self) -> dict[str, Path]:
        """Return the inputs that scores depend on besides predictions, by name."""
        return self.meshes | ({"recipe": self.recipe} if self.recipe else {})

    def open(self) -> tuple[List, ListedMeshes]:
        """Open the list and its meshes."""
        rest_pose = load(manifest_path(self.listed)).history["params"]["rest_pose"]
        hashes = read_hashes(hashes_path(self.listed))
        return read_list(self.listed), ListedMeshes(MeshStore(self.store), hashes, rest_pose)


def write_vertices(path: Path, listing: List, vertices: np.ndarray, **attributes: Any) -> None:
    """Write predictions of a list, (rows, V, 3) metres, in the format of the stage `predict`."""
    names = listing.triples[TRIPLE].to_numpy().tolist()
    root = zarr.create_group(path, attributes={"units": "m"})
    group = root.create_group(listing.name, attributes={"triples": names, **attributes})
    group.create_array("vertices", data=vertices, chunks=(CHUNK, *vertices.shape[1:]))
