"""Run many small tasks on threads of this process, on processes of this machine, or on a Dask cluster across nodes.

A task publishes its own result and returns little, so no large data travel.
"""

import multiprocessing
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from repose.errors import ReposeError

Task = TypeVar("Task")

AHEAD = 2
"""Tasks handed out per worker: one runs, one waits; the rest stay here, so memory does not grow."""

CONNECT_TIMEOUT = "30s"
KINDS = ("threads", "processes", "slurm")

# One BLAS thread, because the workers are the parallelism. Dask's own MALLOC_TRIM_THRESHOLD_=65536 returns every freed
# chunk to the system and doubles the time to write.
ENVIRONMENT = {"MALLOC_TRIM_THRESHOLD_": "134217728", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Cluster:
    """Where tasks run.

    Attributes:
        workers: number of tasks at a time.
        scheduler: "threads" (this process: least memory, and the kernels release the GIL); "processes" (of this
            machine, which talk through pipes; no port is opened); "slurm" (one Slurm job per worker, as many as there
            is work for; account, partition and time limit are those of Dask's own file, ``jobqueue.slurm`` in
            ``~/.config/dask/jobqueue.yaml``); or the address of a running Dask scheduler, "tcp://node:8786". Workers
            elsewhere must see the paths that tasks name.
        memory_limit: memory of each Slurm job; Dask pauses a worker that comes near it, and ends one that exceeds it.
    """

    workers: int = 1
    scheduler: str = "threads"
    memory_limit: str = "2GiB"

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ReposeError(f"{self.workers} workers", hint="at least 1")
        if self.scheduler not in KINDS and "://" not in self.scheduler:
            raise ReposeError(
                f"unknown scheduler {self.scheduler!r}", hint=f"{', '.join(KINDS)} or tcp://HOST:PORT"
            )


THREADS = Cluster()
"""One task at a time, in this process."""


def spread(
    cluster: Cluster, function: Callable[[Task], Any], tasks: Iterable[Task]
) -> Iterator[tuple[Task, Any]]:
    """Call `function` on every task, and yield (task, result) as they finish, in any order.

    Args:
        cluster: where the tasks run.
        function: except with "threads", it must be picklable, and so must tasks and results.
        tasks: consumed as needed.

    Raises:
        ReposeError: there is no such cluster, or a task ended its worker.
        Exception: any error of a task; tasks that were not handed out yet are dropped then.
    """
    waiting = iter(tasks)
    running: dict[Any, Task] = {}
    with _pool(cluster) as (submit, next_done):
        while True:
            for task in islice(waiting, cluster.workers * AHEAD - len(running)):
                running[submit(function, task)] = task
            if not running:
                return
            for future in next_done(set(running)):
                yield running.pop(future), future.result()


@contextmanager
def _pool(cluster: Cluster) -> Iterator[tuple[Callable[..., Any], Callable[[set[Any]], set[Any]]]]:
    """Yield a function that hands out a task, and one that waits for the next of their futures."""
    if cluster.scheduler == "threads":
        with ThreadPoolExecutor(cluster.workers) as threads:
            yield threads.submit, _next_done
    elif cluster.scheduler == "processes":
        context = multiprocessing.get_context("spawn")
        before = dict(os.environ)
        os.environ.update(ENVIRONMENT)  # that of workers, which start when the first tasks come
        try:
            with ProcessPoolExecutor(cluster.workers, context, _end_with_parent) as processes:
                yield processes.submit, _next_done
        except BrokenProcessPool as error:
            raise _died(cluster, "fewer workers") from error
        finally:
            os.environ.clear()
            os.environ.update(before)
    else:
        import distributed  # takes a second to import

        with _client(cluster) as client:
            # Impure: a task that publishes a file must run, whatever result Dask remembers.
            submit = partial(client.submit, pure=False, retries=1)
            try:
                yield submit, lambda futures: distributed.wait(futures, None, "FIRST_COMPLETED").done
            except distributed.KilledWorker as error:
                raise _died(cluster, f"workers of more than {cluster.memory_limit}") from error


def _next_done(futures: set[Future]) -> set[Future]:
    return wait(futures, return_when=FIRST_COMPLETED).done


def _died(cluster: Cluster, instead: str) -> ReposeError:
    what = "a task has ended its worker, most likely out of memory"
    return ReposeError(what, f"scheduler: {cluster.scheduler}", f"{instead}, or scheduler: threads")


def _end_with_parent() -> None:
    """End this worker with its parent; otherwise it would wait for tasks for ever."""
    parent = multiprocessing.parent_process()
    assert parent

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _client(cluster: Cluster) -> Iterator[Any]:
    import distributed

    if cluster.scheduler == "slurm":
        with _slurm(cluster) as started, distributed.Client(started) as client:
            yield client
        return
    try:
        client = distributed.Client(cluster.scheduler, timeout=CONNECT_TIMEOUT)
    except (OSError, TimeoutError, ValueError) as error:
        raise ReposeError("no Dask scheduler answers", cluster.scheduler, "is it running?") from error
    with client:
        try:
            # Dask would wait for ever for a worker that cannot import this
            client.run(exec, "import repose.cluster")
        except ImportError as error:
            raise ReposeError(
                f"a worker cannot import repose: {error}", cluster.scheduler, "install it there"
            ) from error
        yield client


@contextmanager
def _slurm(cluster: Cluster) -> Iterator[Any]:
    """Yield between one job and `workers` jobs of one core each, depending on the remaining work."""
    import dask_jobqueue

    if not shutil.which("sbatch"):  # otherwise Dask would wait for workers for ever
        raise ReposeError(
            "no command sbatch here", "scheduler: slurm", "run it on a login node, or use threads"
        )
    with dask_jobqueue.SLURMCluster(
        cores=1,
        processes=1,
        memory=cluster.memory_limit,
        nanny=False,
        job_script_prologue=[f"export {name}={value}" for name, value in ENVIRONMENT.items()],
    ) as queue:
        queue.adapt(minimum=1, maximum=cluster.workers)
        yield queue
