"""Compute the distances of a whole dataset: one task per mesh, in this process, in several, or across nodes.

Each task loads its mesh, computes, and publishes the matrix itself, so no large data travel. A mesh whose matrix is in
the store is skipped: a run resumes after a kill, and a later run computes only changed meshes.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from numpy.typing import ArrayLike

from repose.cluster import THREADS, Cluster, spread
from repose.errors import ReposeError
from repose.gih import store
from repose.gih.compute import Backend, Outcome, mesh_into_store
from repose.gih.convention import METRES, Settings
from repose.progress import Meter

MeshSource = Callable[[], tuple[ArrayLike, ArrayLike]]
"""Returns (vertices in metres, faces). Called in the worker, so it must pickle: a functools.partial, say."""

NAMED = 5
"""How many of several failed meshes an error names."""


@dataclass
class Summary:
    """The progress of a run: counts, errors by mesh name, seconds since it started."""

    computed: int = 0
    reused: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)  # of the metadata of matrices, by key
    fallbacks: dict[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    @property
    def done(self) -> int:
        """The number of meshes that are finished, with or without an error."""
        return self.computed + self.reused + len(self.errors)

    @property
    def seconds(self) -> float:
        """The seconds since the start."""
        return time.monotonic() - self.started

    def add(self, outcome: Outcome) -> None:
        """Count a finished mesh."""
        self.keys[outcome.name] = outcome.key
        self.digests[outcome.key] = outcome.digest
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
    label: str = "gih",
    index: bool = True,
) -> Summary:
    """Compute every mesh that the store lacks, and name all of them in its index.

    A bad mesh does not stop the others: they are finished and indexed first.

    Args:
        meshes: name to source. path: the store, which is created if missing.
        settings: convention and time, which are the same for a whole store.
        backend: see :func:`repose.gih.compute.distances`.
        cluster: where to run.
        label: label of the progress that is shown.
        index: False: the index is left to the caller, who gets the keys, so that parallel jobs share nothing.

    Raises:
        ReposeError: the store has other settings or is not writable, or some meshes failed (the message names the first
            ones and counts the others).
    """
    if index:
        store.create(path, settings)
    summary = Summary()
    with Meter(label, len(meshes)) as meter:
        try:
            one = partial(_one, path, settings, backend, cluster.workers)
            for (name, _), found in spread(cluster, one, meshes.items()):
                if isinstance(found, str):
                    summary.errors[name] = found
                else:
                    summary.add(found)
                meter.to(summary.done, f"{summary.computed / summary.seconds:.2f} meshes/s")
        finally:
            if index:
                store.commit(path, summary.keys)
        if summary.errors:
            raise ReposeError(_failures(summary.errors))
    return summary


def _failures(errors: Mapping[str, str]) -> str:
    first, *others = errors
    if not others:
        return errors[first]
    names = ", ".join(others[:NAMED]) + (", …" if len(others) > NAMED else "")
    return f"{errors[first]}; {len(others)} more failed: {names}"


def _one(
    path: Path, settings: Settings, backend: Backend, workers: int, mesh: tuple[str, MeshSource]
) -> Outcome | str:
    """Compute one mesh; an error is returned, because the other meshes must be finished anyway."""
    name, source = mesh
    try:
        vertices, faces = source()
        return mesh_into_store(path, name, vertices, faces, settings, backend=backend, workers=workers)
    except ReposeError as error:
        return str(error)
