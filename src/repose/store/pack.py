"""Pack a dataset's .obj files into one Zarr store, with one chunk per task."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import zarr
from numpy.typing import NDArray

from repose.cluster import THREADS, Cluster, spread
from repose.convert.catalog import mesh_digest
from repose.errors import ReposeError
from repose.mesh.formats.obj import read_obj
from repose.progress import Meter
from repose.provenance.listing import blake3_of_file
from repose.provenance.stated import stated

CHUNK_BYTES = 16 << 20

Row = tuple[str, Path, str, str | None]
"""Mesh id, .obj file, the digest of the mesh that the catalogue has, and that of the file which the manifest has."""


def pack(rows: pd.DataFrame, folder: Path, out: Path, cluster: Cluster = THREADS) -> None:
    """Pack meshes of one topology.

    The store holds `vertices` (meshes, V, 3) float32 in metres, y up, in catalogue order, and `faces` (F, 3) int32.
    Vertices are not compressed (float32 coordinates shrink by a tenth at best), so that readers can map the chunk files
    into memory. Each worker holds one chunk. A file that the manifest names is checked when it is read.

    Args:
        rows: the catalogue.
        folder: folder of the .obj files that it names.
        out: the store to create.
        cluster: where files are read and chunks are written.

    Raises:
        ReposeError: a file is missing, differs from the catalogue, or has another topology than the first.
    """
    count = int(rows.vertices.iloc[0])
    group = zarr.create_group(out, attributes={"units": "m", "up": "y", "mesh_ids": list(rows.mesh_id)})
    per_chunk = max(1, min(len(rows), CHUNK_BYTES // (12 * count)))
    group.create_array(
        "vertices",
        shape=(len(rows), count, 3),
        chunks=(per_chunk, count, 3),
        dtype="float32",
        compressors=None,
        dimension_names=("mesh", "vertex", "xyz"),
    )
    files = stated(folder)
    work: list[Row] = []
    for name, digest in zip(rows.mesh_id, rows.sha256, strict=True):
        path = folder / f"{name}.obj"
        work.append((name, path, digest, files.digest(path)))
    faces = _read(*work[0])[1]
    group.create_array("faces", data=faces, dimension_names=("face", "corner"))
    starts = range(0, len(work), per_chunk)
    tasks = ((start, work[start : start + per_chunk]) for start in starts)
    done = 0
    with Meter("store", len(work)) as meter:
        for (_, chunk), _ in spread(cluster, _Packer(out, work[0][0], faces), tasks):
            done += len(chunk)
            meter.to(done)


@dataclass(frozen=True)
class _Packer:
    """Writes chunks of one store."""

    out: Path
    first: str
    faces: NDArray[np.int32]  # (F, 3), of the mesh `first`

    def __call__(self, task: tuple[int, Sequence[Row]]) -> None:
        """Read the files of a chunk and write it; the task is the chunk's first row and its files."""
        start, files = task
        vertices = zarr.open_array(self.out / "vertices", mode="r+")
        buffer = np.empty((len(files), *vertices.shape[1:]), np.float32)
        for row, (name, path, digest, file_digest) in enumerate(files):
            found, faces = _read(name, path, digest, file_digest)
            if not np.array_equal(faces, self.faces):
                raise ReposeError(
                    f"{name} has other faces than {self.first}", where=path, hint="one topology a store"
                )
            buffer[row] = found
        vertices[start : start + len(files)] = buffer


def _read(
    name: str, path: Path, digest: str, file_digest: str | None
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return vertices (V, 3) and faces (F, 3) of a file, if it matches the catalogue and the manifest."""
    if not path.exists():
        raise ReposeError(
            "the catalogue names a file that is not there", where=path, hint="run `repose convert` again"
        )
    is_stated = file_digest is None or blake3_of_file(path) == file_digest
    if not is_stated or mesh_digest(mesh := read_obj(path)) != digest:
        raise ReposeError(
            f"{name} is not the mesh the catalogue describes", where=path, hint="run `repose convert` again"
        )
    return mesh.vertices, mesh.faces
