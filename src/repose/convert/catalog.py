"""The catalogue of a dataset, with one row per converted mesh.

Its columns are `COLUMNS`, which every catalogue has, and the measures `repose.mesh.quality.QUALITY`.
"""

import hashlib
import re
from pathlib import Path

import numpy as np
import pandas as pd

from repose.errors import ReposeError
from repose.mesh.mesh import Mesh
from repose.reading import foreign, read_rows

COLUMNS = ["mesh_id", "identity", "pose", "vertices", "faces", "sha256", "source", "licence"]
_MESH_ID = re.compile(r"id([0-9]{1,9})_([0-9]{1,9})")


def mesh_id(identity: int, pose: int) -> str:
    """Return the name `id{identity}_{pose}`, which 3D-CoreNet and MAPConNet read; NPT reads it without the `id`."""
    return f"id{identity}_{pose}"


def mesh_numbers(name: object, where: object = None) -> tuple[int, int]:
    """Return identity and pose of a mesh id; raise ReposeError, with its place, for anything else."""
    found = _MESH_ID.fullmatch(str(name))
    if found is None:
        raise ReposeError(f"mesh_id {name!r} is not of the form id3_17", where)
    return int(found[1]), int(found[2])


def mesh_digest(mesh: Mesh) -> str:
    """Return the sha256 of a mesh as training sees it: float32 vertices, then int32 faces, little endian."""
    digest = hashlib.sha256(np.ascontiguousarray(mesh.vertices, dtype="<f4").tobytes())
    digest.update(np.ascontiguousarray(mesh.faces, dtype="<i4").tobytes())
    return digest.hexdigest()


def read_catalog(path: Path) -> pd.DataFrame:
    """Read a catalogue, ordered by identity and pose.

    Raises:
        ReposeError: a column is missing, a name is malformed or given twice.
    """
    if not path.is_file():
        raise ReposeError("no catalogue", path, "run `repose convert`")
    rows = read_rows(path, "not a catalogue", "run `repose convert` again")
    if missing := set(COLUMNS) - set(rows.columns):
        raise ReposeError(
            f"catalogue has no column {sorted(missing)[0]!r}", where=path, hint="run `repose convert` again"
        )
    for name in rows.mesh_id:
        mesh_numbers(name, path)
    if rows.mesh_id.duplicated().any():
        raise ReposeError(
            f"mesh_id {rows.mesh_id[rows.mesh_id.duplicated()].iloc[0]} is given twice", where=path
        )
    with foreign(path, "identities and poses are no numbers", "run `repose convert` again"):
        return rows.sort_values(["identity", "pose"], ignore_index=True)
