"""`repose bench loader`: one training triple, from three .obj files by trimesh or from the packed store."""

import tempfile
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from numpy.typing import NDArray

from repose.bench import compare
from repose.bench.obj import read_plainly
from repose.convert.bodies import write_bodies
from repose.data.meshes import Triples
from repose.split.triples import Meshes, draw_triples
from repose.store.mesh_store import MeshStore
from repose.store.pack import pack

IDENTITIES, POSES, RINGS, SECTORS, BATCH = 4, 8, 82, 84, 8


def measure() -> dict[str, Any]:
    """Time a batch of triples of 6,890-vertex meshes both ways; figures are per triple."""
    with tempfile.TemporaryDirectory() as folder:
        obj = Path(folder) / "obj"
        rows = write_bodies(_bodies(), sphere()[1], obj, "bench", "own")
        pack(rows, obj, Path(folder) / "meshes.zarr")
        store = MeshStore(Path(folder) / "meshes.zarr")
        grid = Meshes(set(product(range(IDENTITIES), range(POSES))))
        triples = draw_triples(grid, range(IDENTITIES), range(POSES), BATCH, "train", 0)
        packed = Triples(store, triples)

        def plain() -> NDArray[np.float32]:
            return np.stack([_parse(obj, row) for row in triples.itertuples(index=False)])

        def ours() -> NDArray[np.float32]:
            batch = packed.batch(np.arange(BATCH), np.random.default_rng(0))
            return np.stack([batch.identity, batch.pose, batch.truth], axis=1)

        error = float(np.abs(plain() - ours()).max())
        size = f"{RINGS * SECTORS + 2} vertices, a batch of {BATCH} triples"
        return compare("loader", size, plain, ours, error)


def _parse(folder: Path, row: tuple[str, ...]) -> NDArray[np.float32]:
    """The meshes of a triple (3, V, 3), each about the middle of its box."""
    meshes = np.stack([read_plainly(folder / f"{name}.obj").vertices for name in row[:3]]).astype(np.float32)
    return meshes - (meshes.min(axis=1, keepdims=True) + meshes.max(axis=1, keepdims=True)) / 2


def _bodies():
    base, _ = sphere()
    rng = np.random.default_rng(0)
    for identity, pose in product(range(IDENTITIES), range(POSES)):
        yield identity, pose, (base * rng.uniform(0.5, 1.5, 3)).astype(np.float32)


def sphere(rings: int = RINGS, sectors: int = SECTORS) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """A closed sphere of rings · sectors + 2 vertices; 6,890 and 13,776 faces if not told otherwise."""
    polar = np.linspace(np.pi, 0, rings + 2)
    ball = trimesh.creation.revolve(np.stack([np.sin(polar), np.cos(polar)], axis=1), sections=sectors)
    return ball.vertices.astype(np.float32), ball.faces.astype(np.int32)
