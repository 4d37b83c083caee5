"""Benchmarks: the plain way and ours on the same work in one process, alternately.

`repose bench NAME` prints medians, their ratio and the peak memory of each side.
"""

import importlib
import json
import statistics
import time
import tracemalloc
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from repose.errors import ReposeError

# Modules with `measure() -> dict`, the dict that `compare` returns; the key `also` may hold more such dicts.
BENCHES = (
    *("convert", "corenet", "dag", "gih", "hash", "iepgan"),
    *("images", "loader", "npr", "obj", "poisson", "store"),
)

Result = TypeVar("Result")
Side = dict[str, float]


def run(name: str, as_json: bool) -> None:
    """Run one benchmark and print it as a short table or as one JSON object."""
    if name not in BENCHES:
        raise ReposeError(f"no benchmark {name!r}", hint=f"there are {', '.join(sorted([*BENCHES, 'gpu']))}")
    show(importlib.import_module(f"repose.bench.{name}").measure(), as_json)


def show(result: dict[str, Any], as_json: bool) -> None:
    """Print the results of a benchmark."""
    print(json.dumps(result) if as_json else "\n".join(map(_table, [result, *result.get("also", [])])))


def compare(
    name: str,
    size: str,
    plain: Callable[[], object],
    ours: Callable[[], object],
    error: float,
    repeats: int = 5,
) -> dict[str, Any]:
    """Time both sides alternately after a warm-up, then measure the memory that each allocates in Python and NumPy.

    Args:
        name, size: names of the benchmark and of its input.
        plain, ours: the two implementations of the same work.
        error: difference of the two results.
        repeats: timed runs of each side.
    """
    works = {"plain": plain, "ours": ours}
    seconds: dict[str, list[float]] = {"plain": [], "ours": []}
    for work in works.values():
        work()
    for _ in range(repeats):
        for key, work in works.items():
            seconds[key].append(timed(work)[1])
    sides = {
        key: {"seconds": statistics.median(seconds[key]), "peak_mib": peak_mib(work)}
        for key, work in works.items()
    }
    return comparison(name, size, sides, error)


def comparison(
    name: str, size: str, sides: Mapping[str, Side], error: float, **more: float
) -> dict[str, Any]:
    """Return what `repose bench` prints: `seconds` and `peak_mib` of the sides `plain` and `ours`, and `more`."""
    plain, ours = sides["plain"], sides["ours"]
    speed, memory = plain["seconds"] / ours["seconds"], plain["peak_mib"] / max(ours["peak_mib"], 1e-3)
    both = {"name": name, "size": size, "plain": plain, "ours": ours}
    return {**both, "ratio": speed, **more, "memory_ratio": memory, "error": error}


def timed(work: Callable[[], Result]) -> tuple[Result, float, float]:
    """Run a piece of work, and return its result, its wall seconds, and its CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def peak_mib(work: Callable[[], object]) -> float:
    """Return the peak memory of a piece of work in Python and NumPy, in MiB."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return peak


def _table(result: dict[str, Any]) -> str:
    lines = [f"{result['name']}: {result['size']}"]
    for key in ("plain", "ours"):
        lines.append(f"  {key:5} {result[key]['seconds'] * 1e3:12.3f} ms {result[key]['peak_mib']:10.1f} MiB")
    speed, memory = result["ratio"], result["memory_ratio"]
    times = f"{speed:.1f}× faster" if speed >= 1 else f"{1 / speed:.1f}× slower"
    sizes = f"{memory:.1f}× less memory" if memory >= 1 else f"{1 / memory:.1f}× more memory"
    lines.append(f"  {times}, {sizes}, error {result['error']:.2g}")
    return "\n".join(lines)
