"""Stage `gih`: packed meshes → a store of geodesic distances, by scattered parts and one job that gathers them.

Each part computes the matrices that the store lacks and writes down which matrix belongs to which mesh. Only the
gathering job touches the index and deletes. The store is no declared output of a rule, because Snakemake
would delete it before each run and with it the matrices of all meshes that did not change.
"""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from repose import specs
from repose.cluster import Cluster
from repose.errors import ReposeError
from repose.gih import store
from repose.gih.convention import Settings
from repose.gih.memory import LIBRARIES_MIB, mesh_mib
from repose.gih.reader import GihReader
from repose.gih.scale import compute_dataset, shown_on
from repose.progress import Meter
from repose.provenance.making import making
from repose.store.mesh_store import MeshStore

if TYPE_CHECKING:
    from repose.config.models import Gih


def part(settings: "Gih", number: int, meshes: Path, root: Path, out: Path, lost: str = "") -> None:
    """Compute every `settings.parts`-th mesh, from `number` on, that the store lacks.

    Args:
        settings: section `gih` of the config.
        number: 0 … parts - 1.
        meshes: the packed meshes.
        root: the store.
        out: JSON to write, {mesh name: content key}; equal whenever the matrices are.
        lost: what :func:`repose.gih.lost.lost` returned, to be remembered.
    """
    if not 0 <= number < settings.parts:
        raise ReposeError(f"no part {number}", hint=f"gih.parts is {settings.parts}, counted from 0")
    with making(specs.gih_part(settings, number), out, {"store": meshes}, keep=0) as new:
        packed = MeshStore(meshes)
        names = packed.mesh_ids[number :: settings.parts]
        memory = f"{LIBRARIES_MIB + mesh_mib(packed.shape[1])}MiB"
        with Meter(f"gih part {number}", len(names)) as meter:
            summary = compute_dataset(
                {name: partial(_load, meshes, name) for name in names},
                root,
                _settings(settings),
                backend=settings.backend,
                cluster=Cluster(settings.workers, settings.scheduler, memory),
                report=shown_on(meter),
                index=False,
            )
        new.costs |= {
            "computed": summary.computed,
            "reused": summary.reused,
            "fallbacks": summary.fallbacks,
            "lost": lost,
        }
        new.text(out, json.dumps(summary.keys, indent=1, sort_keys=True) + "\n")
        new.describe = {"meshes": len(names)}


def gather(settings: "Gih", parts: Sequence[Path], root: Path) -> None:
    """Name the matrices of all parts in the index, delete the others, check every byte, write the manifest.

    The manifest hashes the whole store, as for any other directory: one pass at the speed of the disk, some tens
    of seconds for a thousand full-size meshes. A manifest of remembered hashes would be cheaper and prove
    nothing. It stays a few kB: names and keys are in the store's own index.

    Raises:
        ReposeError: a matrix is missing or damaged.
    """
    with making(specs.gih(settings), root, {file.stem: file for file in parts}, keep=0) as new:
        keys: dict[str, str] = {}
        for file in parts:
            keys |= json.loads(file.read_text(encoding="utf-8"))
        new.begin()
        try:
            store.keep_only(root, _settings(settings), keys)
            reader = GihReader(root)
            for name in reader.meshes:
                reader.verify(name)
        except ReposeError as error:
            raise ReposeError(
                error.what, error.where, "delete its folder and run again: what is missing is computed"
            ) from error
        new.has(root)
        new.describe = {"meshes": len(keys), "convention": settings.convention, "t": settings.t}


def _settings(settings: "Gih") -> Settings:
    return Settings(settings.convention, settings.t)


def _load(meshes: Path, name: str) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """A mesh of the packed store; runs in the worker."""
    packed = MeshStore(meshes)
    return packed.vertices(np.array([packed.index_of(name)]))[0], packed.faces
