"""Where many small tasks run: threads of this process, a local Dask cluster, or a Dask cluster across nodes.

A task publishes what it makes by itself and returns little, so nothing large travels.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from repose.errors import ReposeError

Task = TypeVar("Task")

AHEAD = 2
"""Tasks handed out per worker: one runs, one waits; the rest stay here, so memory does not grow."""

CONNECT_TIMEOUT = "30s"


@dataclass(frozen=True)
class Cluster:
    """Where tasks run.

    Attributes:
        workers: how many tasks at a time.
        scheduler: "threads" (this process), "processes" (a local Dask cluster), or the address of a running Dask
            scheduler, "tcp://node:8786", whose workers see the same paths.
        memory_limit: per local Dask worker; Dask pauses a worker that comes near.
    """

    workers: int = 1
    scheduler: str = "threads"
    memory_limit: str = "2GiB"

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ReposeError(f"{self.workers} workers", hint="at least 1")
        if self.scheduler not in ("threads", "processes") and "://" not in self.scheduler:
            raise ReposeError(
                f"unknown scheduler {self.scheduler!r}", hint="threads, processes or tcp://HOST:PORT"
            )


ONE_THREAD = Cluster()


def spread(
    cluster: Cluster, function: Callable[[Task], Any], tasks: Iterable[Task]
) -> Iterator[tuple[Task, Any]]:
    """Call `function` on every task; yields (task, result) as they finish, in any order.

    Args:
        cluster: where.
        function: outside "threads" it must pickle, as must tasks and results.
        tasks: taken as they are needed.

    Raises:
        Exception: what a task raised; tasks that have not begun are dropped then.
    """
    waiting = iter(tasks)
    running: dict[Any, Task] = {}
    with _executor(cluster) as (executor, next_done):
        while True:
            while len(running) < cluster.workers * AHEAD:
                try:
                    task = next(waiting)
                except StopIteration:
                    break
                running[executor.submit(function, task)] = task
            if not running:
                return
            for future in next_done(set(running)):
                task = running.pop(future)
                yield task, future.result()


@contextmanager
def _executor(cluster: Cluster) -> Iterator[tuple[Any, Callable[[set[Any]], set[Any]]]]:
    """An executor, and a function that waits for the next of its futures."""
    if cluster.scheduler == "threads":
        pool = ThreadPoolExecutor(cluster.workers)
        try:
            yield pool, _next_future
        finally:
            pool.shutdown(cancel_futures=True)
        return
    import distributed  # a second to import: only for those who use it

    with _client(cluster) as client:
        yield _Dask(client), lambda futures: distributed.wait(futures, return_when="FIRST_COMPLETED").done


def _next_future(futures: set[Future]) -> set[Future]:
    return wait(futures, return_when=FIRST_COMPLETED).done


class _Dask:
    """Submits impure tasks: a task that publishes a file must run, whatever Dask thinks it remembers."""

    def __init__(self, client: Any):
        self.client = client

    def submit(self, function: Callable[..., Any], *args: Any) -> Any:
        return self.client.submit(function, *args, pure=False, retries=1)


@contextmanager
def _client(cluster: Cluster) -> Iterator[Any]:
    import dask
    import distributed

    if cluster.scheduler != "processes":
        try:
            client = distributed.Client(cluster.scheduler, timeout=CONNECT_TIMEOUT)
        except (OSError, TimeoutError, ValueError) as error:
            raise ReposeError("no Dask scheduler answers", cluster.scheduler, "is it running?") from error
        with client:
            yield client
        return
    # The nanny's default MALLOC_TRIM_THRESHOLD_=65536 hands every freed chunk back to the system and doubles
    # the time to write; one BLAS thread, because the workers are the parallelism.
    environment = {"MALLOC_TRIM_THRESHOLD_": "134217728", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": environment}),
        distributed.LocalCluster(
            n_workers=cluster.workers,
            threads_per_worker=1,
            memory_limit=cluster.memory_limit,
            dashboard_address=None,
        ) as local,
        distributed.Client(local) as client,
    ):
        yield client
