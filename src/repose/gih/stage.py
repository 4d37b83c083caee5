"""Stage `gih`: from packed meshes to a store of geodesic distances, by parallel parts and one job that gathers them.

Each part computes the matrices that the store lacks and records which matrix belongs to which mesh. Only the gathering
job changes the index and deletes matrices. The store is not a declared output of a rule, because Snakemake would delete
it before each run, and with it the matrices of all meshes that did not change.
"""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from repose import specs
from repose.cards import take
from repose.cluster import Cluster
from repose.errors import ReposeError
from repose.gih import store
from repose.gih.convention import Settings
from repose.gih.costs import LIBRARIES_MIB, asks_for_gpu, mesh_mib
from repose.gih.scale import compute_dataset
from repose.provenance.making import making
from repose.provenance.stated import Stated
from repose.reading import foreign, read_json
from repose.store.mesh_store import MeshStore

if TYPE_CHECKING:
    from repose.config.models import Gih


def part(settings: "Gih", number: int, meshes: Path, root: Path, out: Path, lost: str = "") -> None:
    """Compute the meshes of one part that the store lacks; a part has neighbours in the packed store, read once.

    Args:
        settings: section `gih` of the config.
        number: 0 … parts - 1.
        meshes: the packed meshes.
        root: the store.
        out: JSON to write: the content key of each mesh, and the BLAKE3 of the metadata of each matrix, which contain
            those of its bands. The file is equal if the matrices are.
        lost: the value that :func:`repose.gih.lost.lost` returned, which is recorded.
    """
    if not 0 <= number < settings.parts:
        raise ReposeError(f"no part {number}", hint=f"gih.parts is {settings.parts}, counted from 0")
    spec = specs.gih_part(settings, number)
    with making(spec, out, {"store": meshes}, keep=0, later=("store",)) as new:
        packed = MeshStore(meshes)
        first, end = (len(packed) * part // settings.parts for part in (number, number + 1))
        names = packed.mesh_ids[first:end]
        if asks_for_gpu(settings.backend, packed.shape[1], settings.workers):
            take(1)
        memory = f"{LIBRARIES_MIB + mesh_mib(packed.shape[1])}MiB"
        summary = compute_dataset(
            {name: partial(_load, meshes, name) for name in names},
            root,
            _settings(settings),
            backend=settings.backend,
            cluster=Cluster(settings.workers, settings.scheduler, memory),
            label=f"gih part {number}",
            index=False,
        )
        new.costs |= {
            "computed": summary.computed,
            "reused": summary.reused,
            "fallbacks": summary.fallbacks,
            "lost": lost,
        }
        made = {"meshes": summary.keys, "metadata": summary.digests}
        new.text(out, json.dumps(made, indent=1, sort_keys=True) + "\n")
        new.describe = {"meshes": len(names)}


def gather(settings: "Gih", parts: Sequence[Path], root: Path) -> None:
    """Name the matrices of all parts in the index, delete all others, and write the list of files and the manifest.

    No matrix is read. The metadata of a matrix must be those that its part states; they contain the digests of its
    bands and its shard, recorded when it was written. So a reader refuses numbers that changed since then.

    Raises:
        ReposeError: a matrix is missing or cut short, or has other metadata.
    """
    with making(specs.gih(settings), root, {file.stem: file for file in parts}, keep=0) as new:
        keys: dict[str, str] = {}
        metadata: dict[str, str] = {}
        for file in parts:
            made = read_json(file)
            with foreign(file, "not a part of distances", "remove it and run again"):
                keys |= made["meshes"]
                metadata |= {f"{key}/zarr.json": digest for key, digest in made["metadata"].items()}
        new.begin()
        try:
            shards = store.keep_only(root, _settings(settings), keys, Stated(root, metadata))
        except ReposeError as error:
            raise ReposeError(
                error.what, error.where, "delete its folder and run again: what is missing is computed"
            ) from error
        new.has(root, shards)
        new.describe = {"meshes": len(keys), "convention": settings.convention, "t": settings.t}


def _settings(settings: "Gih") -> Settings:
    return Settings(settings.convention, settings.t)


def _load(meshes: Path, name: str) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return a mesh of the packed store; this runs in the worker."""
    packed = MeshStore(meshes)
    return packed.vertices(np.array([packed.index_of(name)]))[0], packed.faces
