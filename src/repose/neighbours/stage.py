"""Stage `neighbours`: packed meshes and training triples → who looks at whom in the pose extractor."""

from pathlib import Path

import torch

from repose import specs
from repose.errors import ReposeError
from repose.methods.npr.neighbour_store import write_neighbours
from repose.methods.npr.settings import NprSettings
from repose.methods.settings import MethodSettings
from repose.neighbours.compute import encoded, neighbours_of
from repose.progress import track
from repose.provenance.making import making
from repose.reading import read_rows
from repose.store.mesh_store import MeshStore


def run(method: MethodSettings, store: Path, split: Path, out: Path, threads: int = 1) -> None:
    """Write the neighbours of all bodies that the training of `method` encodes to the Zarr store `out`.

    Raises:
        ReposeError: the method has no use for them.
    """
    if not isinstance(method, NprSettings):
        raise ReposeError(f"{method.architecture} looks at no neighbours", hint="give a method of npr")
    inputs = {"store": store, "split": split}
    with making(specs.neighbours(method), out, inputs, later=("store",)) as new:
        if new.finished:
            return
        torch.set_num_threads(threads)
        meshes = MeshStore(store)
        rows, label = (
            encoded(method, meshes, read_rows(split)),
            " ".join(out.with_suffix("").parts[-3:]),
        )
        with new.file(out) as private:
            found = track(neighbours_of(method, meshes, rows), len(rows), label)
            write_neighbours(private, found, len(rows), method.middle, method.keypoints)
        new.describe = {"bodies": len(rows)}
