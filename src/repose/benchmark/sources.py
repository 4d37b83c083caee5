"""What lies here of a versioned list, and how predictions of it are stored."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zarr

from repose.benchmark.bodies import Bodies
from repose.benchmark.lists import List, hashes_path, read_hashes, read_list
from repose.columns import TRIPLE
from repose.provenance.manifest import load, manifest_path
from repose.store.mesh_store import MeshStore

CHUNK = 10


class Sources(NamedTuple):
    """What lies here of a list.

    Attributes:
        listed: the list.
        store: packed meshes of its dataset.
        recipe: what the bodies of a generated dataset are made from, which says what their parts are; None: of the
            others.
    """

    listed: Path
    store: Path
    recipe: Path | None = None

    @property
    def meshes(self) -> dict[str, Path]:
        """By name, what the list's meshes follow from."""
        return {"listed": self.listed, "store": self.store}

    @property
    def all(self) -> dict[str, Path]:
        """By name, all that scores follow from besides predictions."""
        return self.meshes | ({"recipe": self.recipe} if self.recipe else {})

    def open(self) -> tuple[List, Bodies]:
        """The list, and its meshes."""
        rest_pose = load(manifest_path(self.listed)).history["params"]["rest_pose"]
        hashes = read_hashes(hashes_path(self.listed))
        return read_list(self.listed), Bodies(MeshStore(self.store), hashes, rest_pose)


def write_vertices(path: Path, listing: List, vertices: np.ndarray, **attributes: Any) -> None:
    """Write predictions of a list, (rows, V, 3) metres, as the stage `predict` writes those of a part of the split."""
    names = listing.triples[TRIPLE].to_numpy().tolist()
    root = zarr.create_group(path, attributes={"units": "m"})
    group = root.create_group(listing.name, attributes={"triples": names, **attributes})
    group.create_array("vertices", data=vertices, chunks=(CHUNK, *vertices.shape[1:]))
