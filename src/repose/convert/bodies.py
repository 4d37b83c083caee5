"""Write bodies in memory as .obj files with their catalogue, for notebooks, benches and tests."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from repose.convert.batch import measured
from repose.convert.catalog import COLUMNS, mesh_id
from repose.mesh.formats.io import write_obj
from repose.mesh.mesh import Mesh
from repose.mesh.quality import QUALITY


def write_bodies(
    bodies: Iterable[tuple[int, int, NDArray[np.float32]]],
    faces: NDArray[np.int32],  # (F, 3)
    folder: Path,
    source: str,
    licence: str,
) -> pd.DataFrame:
    """Write one .obj per (identity, pose, vertices (V, 3) in metres, y up), all with the same faces.

    Returns:
        The catalogue with one row per mesh, see `repose.convert.catalog`.
    """
    folder.mkdir(parents=True)
    rows = []
    for identity, pose, vertices in bodies:
        name = mesh_id(identity, pose)
        mesh, measures = measured(Mesh(vertices, faces), folder / f"{name}.obj")
        write_obj(folder / f"{name}.obj", mesh)
        numbers = {"mesh_id": name, "identity": identity, "pose": pose}
        rows.append(numbers | measures | {"source": source, "licence": licence})
    return pd.DataFrame(rows, columns=[*COLUMNS, *QUALITY])
