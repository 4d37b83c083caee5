"""`repose bench gih`: all-pairs geodesic distances of one body, by potpourri3d's loop and by our kernel.

`curve()` and `end_to_end()` take minutes and are called from Python; docs/gih.md has their figures.
"""

import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import potpourri3d as pp

from repose.bench import peak_mib
from repose.bench.bodies import body
from repose.gih.intrinsic import Float, Int
from repose.gih.solver import Matrix, all_pairs
from repose.mesh.formats.io import write_obj
from repose.mesh.mesh import Mesh

VERTICES = 6890
ROUNDS = 3
EXACT_SOURCES = 100


def measure(vertices: int = VERTICES, rounds: int = ROUNDS) -> dict[str, Any]:
    """Alternate the two on one thread, and ours on two threads.

    Returns:
        What `repose.bench` prints, with the best CPU seconds beside the median wall seconds, and ``threads``:
        how much faster two threads are than one. ``error`` is the mean relative difference of the results,
        ``exact_error`` that from exact geodesics.
    """
    v, f = body(vertices)
    works = {
        "plain": lambda: _loop(v, f),
        "ours": lambda: all_pairs(v, f),
        "two threads": lambda: all_pairs(v, f, threads=2),
    }
    results = {name: work() for name, work in works.items() if name != "plain"}  # compiles, too
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            wall, cpu = time.perf_counter(), time.process_time()
            results[name] = work()
            seconds[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    sides = {name: _side(seconds[name]) for name in works}
    for name in ("plain", "ours"):
        sides[name]["peak_mib"] = peak_mib(works[name])
    plain, ours = sides["plain"], sides["ours"]
    return {
        "name": "gih",
        "size": f"{len(v)} vertices, {len(f)} faces, all pairs, one thread",
        "plain": plain,
        "ours": ours,
        "ratio": plain["seconds"] / ours["seconds"],
        "cpu_ratio": plain["best_cpu_seconds"] / ours["best_cpu_seconds"],
        "threads": ours["best_seconds"] / sides["two threads"]["best_seconds"],
        "memory_ratio": plain["peak_mib"] / ours["peak_mib"],
        "error": relative_difference(results["ours"], results["plain"]),
        "exact_error": exact_error(v, f, results["ours"]),
    }


def curve(sizes: tuple[int, ...] = (1000, 2000, 4000, 6890, 10000, 14000, 20000)) -> list[dict[str, float]]:
    """Seconds (best of three) and peak memory of ours by number of vertices, for docs/gih.md."""
    rows = []
    for size in sizes:
        v, f = body(size)
        work = _bind(v, f)
        work()
        best = min(_timed(work) for _ in range(3))
        rows.append({"vertices": len(v), "cpu_seconds": best, "peak_mib": peak_mib(work)})
    return rows


def end_to_end(meshes: int = 100, workers: int = 2, vertices: int = VERTICES) -> dict[str, float]:
    """`repose gih compute` over that many .obj bodies: from text to a store, in a process of its own.

    Returns:
        Wall and CPU seconds, most resident memory (MiB), megabytes per mesh; and the wall seconds of a second run.
    """
    v, f = body(vertices)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"m{i}.obj" for i in range(meshes)]
        for i, file in enumerate(files):
            write_obj(file, Mesh(v * (1 + 0.2 * i / meshes), f))
        root = Path(folder) / "s.zarr"
        command = [sys.executable, "-m", "repose", "gih", "compute", *map(str, files), "-o", str(root)]
        first, cpu, peak = _run([*command, "--workers", str(workers)])
        again, *_ = _run(command)
        size = sum(p.stat().st_size for p in root.rglob("*") if p.is_file())
    return {
        "seconds": first,
        "cpu_seconds": cpu,
        "peak_mib": peak,
        "mb_per_mesh": size / meshes / 1e6,
        "again_seconds": again,
    }


def _run(command: list[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and most resident memory (MiB) of a command."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(command)
    status, peak = Path(f"/proc/{process.pid}/status"), 0
    while process.poll() is None:
        # Not ru_maxrss: it starts from what the parent held when it forked.
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        peak = int(found[1]) if found else peak
        time.sleep(0.1)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak / 1024


def exact_error(v: Float, f: Int, ours: Matrix, sources: int = EXACT_SOURCES) -> float | None:
    """Mean relative error against exact polyhedral geodesics; None without pygeodesic (the extra `dev`)."""
    try:
        from pygeodesic.geodesic import PyGeodesicAlgorithmExact
    except ImportError:
        return None
    exact = PyGeodesicAlgorithmExact(v, f)
    chosen = np.random.default_rng(0).choice(len(v), min(sources, len(v)), replace=False)
    rows = np.array([exact.geodesicDistances(np.array([source]))[0] for source in chosen])
    return relative_difference(ours[chosen], rows)


def relative_difference(found: Matrix, expected: Matrix) -> float:
    """Mean of ``|found - expected| / expected`` over pairs of different vertices."""
    apart = expected > 0
    return float(np.mean(np.abs(found[apart] - expected[apart]) / expected[apart]))


def _loop(v: Float, f: Int) -> Matrix:
    """The plain way: one source at a time, then symmetrised."""
    solver = pp.MeshHeatMethodDistanceSolver(v, f)
    rows = np.empty((len(v), len(v)), np.float32)
    for source in range(len(v)):
        rows[source] = solver.compute_distance(source)
    return 0.5 * (rows + rows.T)


def _bind(v: Float, f: Int) -> Callable[[], Matrix]:
    return lambda: all_pairs(v, f)


def _timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _side(turns: list[tuple[float, float]]) -> dict[str, float]:
    wall, cpu = np.array(turns).T
    return {
        "seconds": float(np.median(wall)),
        "best_seconds": float(wall.min()),
        "best_cpu_seconds": float(cpu.min()),
    }
