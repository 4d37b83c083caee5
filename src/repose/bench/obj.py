"""`repose bench obj`: reading a full-size body from .obj, trimesh against ours."""

from __future__ import annotations

import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from repose.mesh import Mesh, read_mesh, write_obj

VERTICES, FACES = 6890, 13776


def compare(rounds: int = 15) -> dict[str, Any]:
    """Read one file of 6,890 vertices and 13,776 faces, alternating.

    Args:
        rounds: readings by each side, after one that is not counted.

    Returns:
        {name, size, plain, ours, ratio, memory_ratio, error}: a side is {median_s, peak_bytes}; `error` is
        the largest difference between the two sides' coordinates in metres, infinite if the rest differs.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "body.obj"
        write_obj(path, _body())
        theirs, ours = _read_plainly(path), read_mesh(path)
        times: dict[str, list[float]] = {"plain": [], "ours": []}
        for _ in range(rounds):
            times["plain"].append(_seconds(lambda: _read_plainly(path)))
            times["ours"].append(_seconds(lambda: read_mesh(path)))
        peaks = {"plain": _peak(lambda: _read_plainly(path)), "ours": _peak(lambda: read_mesh(path))}
    sides = {k: {"median_s": float(np.median(times[k])), "peak_bytes": peaks[k]} for k in times}
    same = theirs.vertices.shape == ours.vertices.shape and np.array_equal(theirs.faces, ours.faces)
    return {
        "name": "obj",
        "size": {"vertices": len(ours.vertices), "faces": len(ours.faces)},
        **sides,
        "ratio": sides["plain"]["median_s"] / sides["ours"]["median_s"],
        "memory_ratio": peaks["plain"] / peaks["ours"],
        "error": float(np.abs(theirs.vertices - ours.vertices).max()) if same else float("inf"),
    }


def _body() -> Mesh:
    """A mesh with the counts of a full-size body and the digits of real coordinates; faces are random."""
    rng = np.random.default_rng(0)
    return Mesh(
        rng.uniform(-0.9, 0.9, (VERTICES, 3)).astype(np.float32), rng.integers(0, VERTICES, (FACES, 3))
    )


def _read_plainly(path: Path) -> trimesh.Trimesh:
    return trimesh.load_mesh(path, process=False, maintain_order=True, skip_materials=True)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _peak(work: Callable[[], object]) -> int:
    """Largest memory in use during the work beyond what was in use before, as Python and numpy report it."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
