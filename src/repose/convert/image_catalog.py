"""The catalogue of a dataset of images, with one row per converted image, and the files that accompany it."""

from pathlib import Path

import pandas as pd

from repose.errors import ReposeError
from repose.reading import read_rows

COLUMNS = [
    "image_id",
    "identity",
    "outfit",
    "pose",
    "camera",
    "part",
    "height",
    "width",
    "sha256",
    "source",
    "licence",
]
"""What every catalogue of images has; known attributes of garments follow."""
TRIANGLES = "triangles.npy"
"""Among the images, if they are rendered: (F, 3) of the mesh that all show."""
CORRESPONDENCES = "correspondences.parquet"
"""Among the images, if there are such: source_image and target_image of each pair with a .corr file."""


def corr_name(source: str, target: str) -> str:
    """The file among the images that has the correspondence of a pair, named as users supply it."""
    return f"{target}_{source}.corr"


def read_image_catalog(path: Path) -> pd.DataFrame:
    """Read a catalogue of images, in the order in which it was written: those of one outfit together.

    Raises:
        ReposeError: a column is missing, or a name is given twice.
    """
    rows = read_rows(path, "not a catalogue of images", "run `repose convert` again")
    if missing := set(COLUMNS) - set(rows.columns):
        raise ReposeError(
            f"catalogue has no column {sorted(missing)[0]!r}", where=path, hint="run `repose convert` again"
        )
    if rows.image_id.duplicated().any():
        raise ReposeError(
            f"image_id {rows.image_id[rows.image_id.duplicated()].iloc[0]} is given twice", path
        )
    return rows
