"""Where the tasks of a dataset run: threads here, a local Dask cluster, a running one, or one that Slurm grows."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from repose.errors import ReposeError

CONNECT_TIMEOUT = "30s"

KINDS = ("threads", "processes", "slurm")

# The nanny's default MALLOC_TRIM_THRESHOLD_=65536 hands every freed chunk back to the system and doubles the
# time to write; one BLAS thread, because the workers are the parallelism.
ENVIRONMENT = {"MALLOC_TRIM_THRESHOLD_": "134217728", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Cluster:
    """Where the tasks run.

    Attributes:
        workers: how many meshes at a time. Each needs 4 V² bytes (190 MB at 6,890 vertices) beside the
            libraries.
        scheduler: "threads" (this process: least memory, and the kernels release the GIL); "processes" (a
            local Dask cluster); "slurm" (one Slurm job per worker, as many as there is work for; account,
            partition and time limit are those of Dask's own file, ``jobqueue.slurm`` in
            ``~/.config/dask/jobqueue.yaml``); or the address of a running Dask scheduler,
            "tcp://node:8786". Workers elsewhere must see the store's path.
        memory_limit: per Dask worker; Dask pauses a worker that comes near, and ends one that passes it.
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
"""One mesh at a time, in this process."""


@contextmanager
def executor(cluster: Cluster) -> Iterator[tuple[Any, Callable[[set[Any]], set[Any]]]]:
    """Something with ``submit``, and a function that waits for the next of its futures."""
    if cluster.scheduler == "threads":
        with ThreadPoolExecutor(cluster.workers) as pool:
            yield pool, _next_future
        return
    import distributed  # a second to import: only for those who use it

    with _client(cluster) as client:
        try:
            yield _Dask(client), lambda futures: distributed.wait(futures, return_when="FIRST_COMPLETED").done
        except distributed.KilledWorker as error:
            raise ReposeError(
                "a mesh ends every worker that takes it, most likely out of memory",
                f"scheduler: {cluster.scheduler}",
                f"workers of more than {cluster.memory_limit}, or scheduler: threads",
            ) from error


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
    import distributed

    if "://" in cluster.scheduler:
        try:
            client = distributed.Client(cluster.scheduler, timeout=CONNECT_TIMEOUT)
        except (OSError, TimeoutError, ValueError) as error:
            raise ReposeError("no Dask scheduler answers", cluster.scheduler, "is it running?") from error
        with client:
            try:
                client.run(exec, "import repose.gih.compute")  # Dask would wait for ever for one that cannot
            except ImportError as error:
                raise ReposeError(
                    f"a worker cannot import repose: {error}", cluster.scheduler, "install it there"
                ) from error
            yield client
        return
    start = _local if cluster.scheduler == "processes" else _slurm
    with start(cluster) as started, distributed.Client(started) as client:
        yield client


@contextmanager
def _local(cluster: Cluster) -> Iterator[Any]:
    import dask
    import distributed

    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": ENVIRONMENT}),
        distributed.LocalCluster(
            n_workers=cluster.workers,
            threads_per_worker=1,
            memory_limit=cluster.memory_limit,
            dashboard_address=None,
        ) as local,
    ):
        yield local


@contextmanager
def _slurm(cluster: Cluster) -> Iterator[Any]:
    """Between one job and `workers` jobs of one core each, by how much is left to do."""
    import dask_jobqueue

    if not shutil.which("sbatch"):  # Dask would wait for workers for ever
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
