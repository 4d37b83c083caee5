"""Many small tasks on threads of this process, a local Dask cluster, or a Dask cluster across nodes.

A task publishes what it makes by itself and returns little, so nothing large travels.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from repose.gih.cluster import THREADS, Cluster, executor

__all__ = ["AHEAD", "THREADS", "Cluster", "spread"]

Task = TypeVar("Task")

AHEAD = 2
"""Tasks handed out per worker: one runs, one waits; the rest stay here, so memory does not grow."""


def spread(
    cluster: Cluster, function: Callable[[Task], Any], tasks: Iterable[Task]
) -> Iterator[tuple[Task, Any]]:
    """Call `function` on every task; yields (task, result) as they finish, in any order.

    Args:
        cluster: where.
        function: outside "threads" it must pickle, as must tasks and results.
        tasks: taken as they are needed.

    Raises:
        Exception: what a task raised; tasks that were not handed out yet are dropped then.
    """
    waiting = iter(tasks)
    running: dict[Any, Task] = {}
    with executor(cluster) as (pool, next_done):
        while True:
            while len(running) < cluster.workers * AHEAD:
                try:
                    task = next(waiting)
                except StopIteration:
                    break
                running[pool.submit(function, task)] = task
            if not running:
                return
            for future in next_done(set(running)):
                yield running.pop(future), future.result()
