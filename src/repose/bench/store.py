"""`repose bench store`: a training batch of distances, from pickled matrices and from the GIH store."""

import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from repose.array_pickle import read_pickle
from repose.bench import compare
from repose.bench.bodies import body
from repose.gih import store
from repose.gih.compute import mesh_into_store
from repose.gih.convention import METRES
from repose.gih.reader import GihReader
from repose.gih.solver import all_pairs

VERTICES = 6890
MESHES = 4
ROUNDS = 5
RANDOM, REGIONAL = 120, 600

Patch = NDArray[np.int64]
Batch = NDArray[np.float32]


def measure(vertices: int = VERTICES, rounds: int = ROUNDS) -> dict[str, Any]:
    """Read a batch of 4 meshes, with 120 random vertices each or 600 of one region, alternately, with warm caches.

    Returns:
        What `repose.bench` prints, for random vertices; ``regional`` has the same for a region;
        ``mb_per_mesh`` and ``max_error_mm`` describe the store.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        names, first, megabytes = _write(root, vertices)
        reader = GihReader(root / "gih.zarr")
        nearest = np.argsort(first[len(first) // 2])[:REGIONAL]
        scattered = np.random.default_rng(0).choice(len(first), RANDOM, replace=False)
        size = f"{MESHES} meshes of {len(first)} vertices, {RANDOM} random vertices each"
        random = _compare(root, reader, names, scattered, rounds, size)
        regional = _compare(root, reader, names, nearest, rounds, f"{REGIONAL} vertices of one region")
        whole = reader.rows(names[0], np.arange(len(first)))
    error = float(np.abs(whole - first).max()) * 1e3
    return random | {"regional": regional, "mb_per_mesh": megabytes, "max_error_mm": error}


def _write(root: Path, vertices: int) -> tuple[list[str], Batch, float]:
    """Write both forms of the same meshes; return names, the first matrix, and the megabytes of one in the store."""
    v, f = body(vertices)
    store.create(root / "gih.zarr", METRES)
    keys = {}
    for i in range(MESHES):
        scaled = v * (1 + 0.02 * i)
        keys[f"m{i}"] = mesh_into_store(root / "gih.zarr", f"m{i}", scaled, f, METRES).key
        with (root / f"m{i}.pkl").open("wb") as file:
            pickle.dump(all_pairs(scaled, f), file, protocol=4)
    store.commit(root / "gih.zarr", keys)
    total = sum(p.stat().st_size for p in (root / "gih.zarr").rglob("*") if p.is_file())
    return sorted(keys), all_pairs(v, f), total / MESHES / 1e6


def _compare(
    root: Path, reader: GihReader, names: list[str], patch: Patch, rounds: int, size: str
) -> dict[str, Any]:
    def plain() -> Batch:
        """What the published loader does: read the whole pickle, copy it as float32, index.

        Ours is a reader of pickles that refuses all but arrays; it takes the same time.
        """
        whole = (read_pickle(root / f"{name}.pkl").astype(np.float32) for name in names)
        return np.stack([matrix[patch][:, patch] for matrix in whole])

    def ours() -> Batch:
        return reader.blocks(names, [patch] * len(names))

    return compare("store", size, plain, ours, float(np.abs(plain() - ours()).max()), rounds)
