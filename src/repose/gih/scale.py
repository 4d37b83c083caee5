"""A whole dataset: one task per mesh, in this process, on a local Dask cluster, or on one across nodes.

Each task loads its mesh, computes, and publishes the matrix itself, so nothing large travels. A mesh
whose matrix is in the store is skipped: a run resumes after a kill, and later costs only changed meshes.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from repose.errors import ReposeError
from repose.gih import store
from repose.gih.compute import Backend, Outcome, mesh_into_store
from repose.gih.solver import METRES, Settings
from repose.progress import Meter

MeshSource = Callable[[], tuple[ArrayLike, ArrayLike]]
"""Returns (vertices in metres, faces). Called in the worker, so it must pickle: a functools.partial, say."""

Report = Callable[["Summary", Outcome | None], None]

AHEAD = 2
"""Tasks handed out per worker: one runs, one waits; the rest stay here, so memory does not grow."""


CONNECT_TIMEOUT = "30s"


@dataclass(frozen=True)
class Cluster:
    """Where the tasks run.

    Attributes:
        workers: how many meshes at a time. Each needs 4 V² bytes (190 MB at 6,890 vertices) beside the
            libraries.
        scheduler: "threads" (this process: least memory, and the kernels release the GIL), "processes" (a
            local Dask cluster), or the address of a running Dask scheduler, "tcp://node:8786", whose workers
            see the store's path.
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


THREADS = Cluster()
"""One mesh at a time, in this process."""


@dataclass
class Summary:
    """How far a run is: counts, errors by mesh name, seconds since it started."""

    total: int
    computed: int = 0
    reused: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    fallbacks: dict[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    @property
    def done(self) -> int:
        """Meshes finished in any way."""
        return self.computed + self.reused + len(self.errors)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.started

    def add(self, outcome: Outcome) -> None:
        """Count a finished mesh."""
        self.keys[outcome.name] = outcome.key
        self.computed += not outcome.hit
        self.reused += outcome.hit
        if outcome.note:
            self.fallbacks[outcome.name] = outcome.note


def compute_dataset(
    meshes: Mapping[str, MeshSource],
    path: Path,
    settings: Settings = METRES,
    *,
    backend: Backend = "auto",
    cluster: Cluster = THREADS,
    report: Report | None = None,
    index: bool = True,
) -> Summary:
    """Compute every mesh that the store lacks, and name all of them in its index.

    A bad mesh does not stop the others: they are finished and indexed first.

    Args:
        meshes: name to source. path: the store, made if missing.
        settings: convention and time; a store holds one of them.
        backend: see :func:`repose.gih.compute.distances`.
        cluster: where to run.
        report: called after each mesh with the summary so far and the outcome (None for an error).
        index: False leaves the index to the caller, who gets the keys, so that scattered jobs share nothing.

    Raises:
        ReposeError: the store is of other settings or not writable, or some meshes failed (the message
            names the first and counts the others).
    """
    if index:
        store.create(path, settings)
    summary = Summary(total=len(meshes))
    try:
        with _executor(cluster) as (executor, next_done):
            _run(
                meshes, path, settings, backend, executor, next_done, cluster.workers * AHEAD, summary, report
            )
    finally:
        if index:
            store.commit(path, summary.keys)
    if summary.errors:
        first, message = next(iter(summary.errors.items()))
        more = f" (and {len(summary.errors) - 1} more meshes failed)" if len(summary.errors) > 1 else ""
        raise ReposeError(message.removeprefix(f"{first}: ") + more, first)
    return summary


def _run(
    meshes: Mapping[str, MeshSource],
    path: Path,
    settings: Settings,
    backend: Backend,
    executor: Any,
    next_done: Callable[[set[Any]], set[Any]],
    ahead: int,
    summary: Summary,
    report: Report | None,
) -> None:
    waiting = iter(meshes.items())
    names: dict[Any, str] = {}
    while True:
        while len(names) < ahead and (item := next(waiting, None)):
            names[executor.submit(_one, path, item[0], item[1], settings, backend)] = item[0]
        if not names:
            return
        for future in next_done(set(names)):
            name, outcome = names.pop(future), None
            try:
                outcome = future.result()
                summary.add(outcome)
            except ReposeError as error:
                summary.errors[name] = str(error)
            if report:
                report(summary, outcome)


def _one(path: Path, name: str, source: MeshSource, settings: Settings, backend: Backend) -> Outcome:
    vertices, faces = source()
    return mesh_into_store(path, name, vertices, faces, settings, backend=backend)


@contextmanager
def _executor(cluster: Cluster) -> Iterator[tuple[Any, Callable[[set[Any]], set[Any]]]]:
    """An executor, and a function that waits for the next of its futures."""
    if cluster.scheduler == "threads":
        with ThreadPoolExecutor(cluster.workers) as pool:
            yield pool, _next_future
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


def shown_on(meter: Meter) -> Report:
    """A report that moves `meter` on and says how many meshes are computed in a second."""
    return lambda summary, _: meter.to(summary.done, f"{summary.computed / summary.seconds:.2f} meshes/s")
