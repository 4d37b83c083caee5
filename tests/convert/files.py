"""A dataset of .obj files, the smallest source of raw meshes that is not generated."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh

from repose.mesh.formats.io import read_mesh, write_obj
from repose.mesh.mesh import Mesh
from repose.raw.source import Item

SPHERE = trimesh.creation.icosphere(subdivisions=1)
FACES = SPHERE.faces.astype(np.int32)


@dataclass(frozen=True)
class Files:
    """Files `{identity}-{pose}.obj` of a folder."""

    folder: Path
    licence: str = "own"

    def items(self) -> list[Item]:
        found = []
        for path in self.folder.iterdir():
            identity, pose = map(int, re.fullmatch(r"(\d+)-(\d+)", path.stem).groups())
            found.append(Item(identity, pose, hashlib.sha256(path.read_bytes()).hexdigest(), path.name))
        return sorted(found, key=lambda item: (item.identity, item.pose))

    def meshes(self, items: Sequence[Item]) -> Iterator[Mesh]:
        for item in items:
            yield read_mesh(self.folder / item.source)


def write_ball(path: Path, seed: int) -> None:
    """An ellipsoid of 42 vertices, another for every seed."""
    path.parent.mkdir(exist_ok=True)
    sides = np.random.default_rng(seed).uniform(0.3, 2, 3)
    write_obj(path, Mesh((SPHERE.vertices * sides).astype(np.float32), FACES))
