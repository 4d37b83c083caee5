"""`repose bench gih`: all-pairs geodesic distances of one body, by potpourri3d's loop and by our kernel.

`curve()` and `end_to_end()` take minutes and are called from Python; docs/gih.md has their figures.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import potpourri3d as pp

from repose.bench import Side, comparison, peak_mib, timed
from repose.bench.bodies import body
from repose.bench.processes import command
from repose.gih.intrinsic import Float, Int
from repose.gih.solver import Matrix, all_pairs
from repose.mesh.formats.io import write_obj
from repose.mesh.mesh import Mesh

VERTICES = 6890
ROUNDS = 3
SOURCES = 100  # number of sources for methods that solve one source at a time


def measure(vertices: int = VERTICES, rounds: int = ROUNDS) -> dict[str, Any]:
    """Run the two alternately on one thread, and ours also on two threads.

    Returns:
        What `repose.bench` prints, with the best CPU seconds beside the median wall seconds, and ``threads``:
        how much faster two threads are than one. ``error`` is the mean relative difference of the results,
        ``peers`` what other methods take and how far they and ours are from exact geodesics, see :func:`peers`.
    """
    v, f = body(vertices)
    works = {
        "plain": partial(_loop, v, f),
        "ours": partial(all_pairs, v, f),
        "two threads": partial(all_pairs, v, f, threads=2),
    }
    results = {name: work() for name, work in works.items() if name != "plain"}  # this also compiles
    turns: dict[str, list[list[float]]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            results[name], *seconds = timed(work)
            turns[name].append(seconds)
    sides = {name: _side(turns[name]) for name in works}
    for name in ("plain", "ours"):
        sides[name]["peak_mib"] = peak_mib(works[name])
    plain, ours = sides["plain"], sides["ours"]
    result = comparison(
        "gih",
        f"{len(v)} vertices, {len(f)} faces, all pairs, one thread",
        sides,
        relative_difference(results["ours"], results["plain"]),
        cpu_ratio=plain["best_cpu_seconds"] / ours["best_cpu_seconds"],
        threads=ours["best_seconds"] / sides["two threads"]["best_seconds"],
    )
    return result | {"peers": peers(v, f, results["ours"])}


def curve(sizes: tuple[int, ...] = (1000, 2000, 4000, 6890, 10000, 14000, 20000)) -> list[dict[str, float]]:
    """Return seconds (best of three) and peak memory of ours by number of vertices, for docs/gih.md."""
    rows = []
    for size in sizes:
        v, f = body(size)
        work = partial(all_pairs, v, f)
        work()
        best = min(timed(work)[2] for _ in range(3))
        rows.append({"vertices": len(v), "cpu_seconds": best, "peak_mib": peak_mib(work)})
    return rows


def end_to_end(meshes: int = 100, workers: int = 2, vertices: int = VERTICES) -> dict[str, float]:
    """Run `repose gih compute` on that many .obj bodies, from text to a store, in a separate process.

    Returns:
        Wall and CPU seconds, most resident memory (MiB), megabytes per mesh; and the wall seconds of a second run.
    """
    v, f = body(vertices)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"m{i}.obj" for i in range(meshes)]
        for i, file in enumerate(files):
            write_obj(file, Mesh(v * (1 + 0.2 * i / meshes), f))
        root = Path(folder) / "s.zarr"
        words = [sys.executable, "-m", "repose", "gih", "compute", *map(str, files), "-o", str(root)]
        first, again = _run([*words, "--workers", str(workers)]), _run(words)
        size = sum(p.stat().st_size for p in root.rglob("*") if p.is_file())
    return first | {"mb_per_mesh": size / meshes / 1e6, "again_seconds": again["seconds"]}


def _run(words: list[str]) -> Side:
    status, used = command(words)
    if status:
        raise subprocess.CalledProcessError(status, words)
    return used


def peers(v: Float, f: Int, ours: Matrix) -> dict[str, dict[str, float]]:
    """Measure methods that solve one source at a time, from some vertices, for comparison.

    Fast marching is that of Kimmel & Sethian 1998 ("Computing geodesic paths on manifolds") in potpourri3d. The exact
    ones are of pygeodesic, which is in the extra `dev`; without it there are no errors.

    Returns:
        For each method the ``cpu_seconds`` of all pairs at the pace of those vertices, and the mean relative ``error``.
    """
    chosen = np.random.default_rng(0).choice(len(v), min(SOURCES, len(v)), replace=False)
    marching = pp.MeshFastMarchingDistanceSolver(v, f)
    rows = {"ours": ours[chosen]}
    found: dict[str, dict[str, float]] = {"ours": {}}

    def add(name: str, row: Callable[[int], Any]) -> None:
        rows[name], _, cpu = timed(lambda: np.array([row(int(source)) for source in chosen]))
        found[name] = {"cpu_seconds": cpu * len(v) / len(chosen)}

    add("fast marching", lambda source: marching.compute_distance([[(source, [])]]))
    try:
        from pygeodesic.geodesic import PyGeodesicAlgorithmExact
    except ImportError:
        return found
    exact = PyGeodesicAlgorithmExact(v, f)
    add("exact", lambda source: exact.geodesicDistances(np.array([source]))[0])
    for name in ("ours", "fast marching"):
        found[name]["error"] = relative_difference(rows[name], rows["exact"])
    return found


def relative_difference(found: Matrix, expected: Matrix) -> float:
    """Return the mean of ``|found - expected| / expected`` over pairs of different vertices."""
    apart = expected > 0
    return float(np.mean(np.abs(found[apart] - expected[apart]) / expected[apart]))


def _loop(v: Float, f: Int) -> Matrix:
    """Compute distances in the plain way: one source at a time, then symmetrised."""
    solver = pp.MeshHeatMethodDistanceSolver(v, f)
    rows = np.empty((len(v), len(v)), np.float32)
    for source in range(len(v)):
        rows[source] = solver.compute_distance(source)
    return 0.5 * (rows + rows.T)


def _side(turns: list[list[float]]) -> Side:
    wall, cpu = np.array(turns).T
    return {
        "seconds": float(np.median(wall)),
        "best_seconds": float(wall.min()),
        "best_cpu_seconds": float(cpu.min()),
    }
