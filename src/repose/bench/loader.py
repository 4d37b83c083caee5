"""`repose bench loader`: one training triple, from three .obj files by trimesh or from the packed store."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
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
        triples = draw_triples(_grid(), range(IDENTITIES), range(POSES), BATCH, "train", 0)
        packed = Triples(store, triples)

        def plain() -> NDArray[np.float32]:
            return np.stack([_parse(obj, row) for row in triples.itertuples(index=False)])

        def ours() -> NDArray[np.float32]:
            batch = packed.batch(np.arange(BATCH), np.random.default_rng(0))
            return np.stack([batch.identity, batch.pose, batch.truth], axis=1)

        error = float(np.abs(plain() - ours()).max())
        result = compare(
            "loader", f"{RINGS * SECTORS + 2} vertices, a batch of {BATCH} triples", plain, ours, error
        )
    return result


def _parse(folder: Path, row: tuple[str, ...]) -> NDArray[np.float32]:
    meshes = [read_plainly(folder / f"{name}.obj") for name in row[:3]]
    return np.stack([_centred(np.asarray(mesh.vertices, np.float32)) for mesh in meshes])


def _centred(vertices: NDArray[np.float32]) -> NDArray[np.float32]:
    return vertices - (vertices.min(0) + vertices.max(0)) / 2


def _grid() -> Meshes:
    return Meshes({(i, p) for i in range(IDENTITIES) for p in range(POSES)})


def _bodies():
    base, _ = sphere()
    rng = np.random.default_rng(0)
    for identity in range(IDENTITIES):
        for pose in range(POSES):
            yield identity, pose, (base * rng.uniform(0.5, 1.5, 3)).astype(np.float32)


def sphere(rings: int = RINGS, sectors: int = SECTORS) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """A closed sphere of rings · sectors + 2 vertices; 6,890 and 13,776 faces if not told otherwise."""
    polar = np.linspace(0, np.pi, rings + 2)[1:-1, None]
    around = np.linspace(0, 2 * np.pi, sectors, endpoint=False)[None]
    shell = np.stack(
        [np.sin(polar) * np.cos(around), np.cos(polar) + 0 * around, np.sin(polar) * np.sin(around)], -1
    ).reshape(-1, 3)
    vertices = np.concatenate([shell, [[0, 1, 0], [0, -1, 0]]]).astype(np.float32)
    ring, sector = np.divmod(np.arange(rings * sectors), sectors)
    right = ring * sectors + (sector + 1) % sectors
    here, below = np.arange(rings * sectors), sectors
    inner = ring < rings - 1
    sides = [
        np.stack([here, right, here + below], 1)[inner],
        np.stack([right, right + below, here + below], 1)[inner],
    ]
    north = np.stack([right, here, np.full_like(here, rings * sectors)], 1)[ring == 0]
    south = np.stack([here, right, np.full_like(here, rings * sectors + 1)], 1)[ring == rings - 1]
    return vertices, np.concatenate([*sides, north, south]).astype(np.int32)
