"""Pack a dataset's .obj files into one Zarr store."""

from pathlib import Path

import numpy as np
import pandas as pd
import zarr

from repose.convert.catalog import mesh_digest, obj_files
from repose.errors import ReposeError
from repose.mesh.io import read_mesh
from repose.progress import track

CHUNK_BYTES = 16 << 20


def pack(rows: pd.DataFrame, folder: Path, out: Path) -> None:
    """Pack meshes of one topology.

    The store holds `vertices` (meshes, V, 3) float32 in metres, y up, in catalogue order, and `faces` (F, 3) int32.
    Vertices are not compressed (float32 coordinates shrink by a tenth at best), so that readers can map the
    chunk files into memory.

    Args:
        rows: the catalogue.
        folder: the .obj files it names.
        out: the store to create.

    Raises:
        ReposeError: a file is missing, differs from the catalogue, or has another topology than the first.
    """
    count = int(rows.vertices.iloc[0])
    group = zarr.create_group(out, attributes={"units": "m", "up": "y", "mesh_ids": list(rows.mesh_id)})
    per_chunk = max(1, min(len(rows), CHUNK_BYTES // (12 * count)))
    vertices = group.create_array(
        "vertices",
        shape=(len(rows), count, 3),
        chunks=(per_chunk, count, 3),
        dtype="float32",
        compressors=None,
        dimension_names=("mesh", "vertex", "xyz"),
    )
    faces = None
    buffer = np.empty((per_chunk, count, 3), np.float32)
    work = zip(obj_files(rows, folder), rows.sha256, strict=True)
    for index, ((name, path), digest) in enumerate(track(work, len(rows), "store")):
        if not path.exists():
            raise ReposeError(
                "the catalogue names a file that is not there", where=path, hint="run `repose convert` again"
            )
        mesh = read_mesh(path)
        if mesh_digest(mesh) != digest:
            raise ReposeError(
                f"{name} is not the mesh the catalogue describes",
                where=path,
                hint="run `repose convert` again",
            )
        if faces is None:
            faces = mesh.faces
        if not np.array_equal(mesh.faces, faces):
            raise ReposeError(
                f"{name} has other faces than {rows.mesh_id.iloc[0]}", where=path, hint="one topology a store"
            )
        buffer[index % per_chunk] = mesh.vertices
        if index % per_chunk == per_chunk - 1 or index == len(rows) - 1:
            start = index - index % per_chunk
            vertices[start : index + 1] = buffer[: index + 1 - start]
    group.create_array("faces", data=np.asarray(faces, np.int32), dimension_names=("face", "corner"))
