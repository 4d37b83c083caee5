"""The command `repose doctor DATASET`: a summary of the meshes of a converted dataset, from its catalogue."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from repose.convert.catalog import read_catalog
from repose.errors import ReposeError
from repose.mesh.formats.io import read_mesh
from repose.mesh.frame import ADULT, BODY
from repose.mesh.quality import QUALITY
from repose.project import making
from repose.use.doctor.words import FAR, FEW, FOLDS, MANY
from repose.use.transfer.kind import LIKELY, animal_log_odds

SHOWN = 10
MIDDLE = ["centre_x_m", "centre_y_m", "centre_z_m"]
SIZES = ["height_m", "width_m", "depth_m", "volume_m3"]
NO_ADULT = "shorter or taller than an adult"
FLAWS = {
    "of no size of a body": lambda rows: ~_longest(rows).between(*BODY, inclusive="left"),
    NO_ADULT: lambda rows: ~rows.height_m.between(*ADULT),
    "far from the origin": lambda rows: np.sqrt((rows[MIDDLE] ** 2).sum(axis=1)) > FAR * _longest(rows),
    "of few vertices": lambda rows: rows.vertices < FEW,
    "of many vertices": lambda rows: rows.vertices > MANY,
    "not closed": lambda rows: ~rows.closed,
    "not manifold": lambda rows: ~rows.manifold,
    "in several pieces": lambda rows: rows.components > 1,
    "inside out": lambda rows: rows.volume_m3 < 0,
    "with degenerate faces": lambda rows: rows.degenerate_faces > 0,
    "with vertices at one place": lambda rows: rows.duplicate_vertices > 0,
    "with vertices in no face": lambda rows: rows.unreferenced_vertices > 0,
    "with faces run through, more than folds at joints": lambda rows: (
        rows.self_intersections > FOLDS * rows.faces
    ),
    "with the same content as an earlier one": lambda rows: rows.sha256.duplicated(),
}
"""Tests for what is unusual about a mesh that is still good enough for training: {words: catalogue → (N,) bool}.

`repose.use.doctor.words` finds the same for one mesh, by the same limits. Up axis and unit have no test here, because
those of a converted mesh are known.
"""


def catalog_of(name: str, results: Path) -> Path | None:
    """The catalogue that a dataset's name stands for, or None for the path of a mesh.

    Raises:
        ReposeError: it is a folder, and no dataset is named so.
    """
    catalog = results / "data" / name / "catalog.parquet"
    is_name = not Path(name).suffix and "/" not in name
    if Path(name).is_dir() and not (is_name and catalog.exists()):
        hint = f"give its meshes, such as {Path(name, '*.obj')}, or the name of a converted dataset"
        raise ReposeError("is a folder", name, hint)
    return catalog if is_name else None


def run(catalog: Path, as_json: bool = False) -> None:
    """Print the summary of a converted dataset, for people or as one JSON object.

    Raises:
        ReposeError: the dataset was not converted, or by an older version.
    """
    name = catalog.parent.name
    if not catalog.exists():
        raise ReposeError(f"dataset {name!r} is not converted", catalog, making(catalog))
    rows = read_catalog(catalog)
    if missing := set(QUALITY) - set(rows.columns):
        raise ReposeError(f"catalogue has no column {min(missing)!r}", catalog, "run `repose convert` again")
    first = read_mesh(catalog.parent / "obj" / f"{rows.mesh_id.iloc[0]}.obj")
    summary = {"dataset": name, **summarise(rows, animals=animal_log_odds(first) >= LIKELY)}
    print(json.dumps(summary) if as_json else "\n".join(_page(summary)))


def summarise(rows: pd.DataFrame, animals: bool = False) -> dict[str, Any]:
    """Counts, sizes as (least, median, most), and the meshes that have each flaw.

    Args:
        rows: a catalogue with its measures.
        animals: whether they are of four-legged animals, whose height is not that of people.
    """
    asked = {words: has for words, has in FLAWS.items() if not (animals and words == NO_ADULT)}
    flawed = {words: list(rows.mesh_id[has(rows)]) for words, has in asked.items()}
    return {
        "meshes": len(rows),
        "identities": int(rows.identity.nunique()),
        "poses": int(rows.pose.nunique()),
        "vertices": int(rows.vertices.iloc[0]),
        "faces": int(rows.faces.iloc[0]),
        "licence": ", ".join(sorted(set(rows.licence))),
        **{size: _spread(rows[size]) for size in SIZES},
        "self_intersecting_faces": _spread(rows.self_intersections),
        "flaws": {words: names for words, names in flawed.items() if names},
    }


def _longest(rows: pd.DataFrame) -> pd.Series:
    return rows[["height_m", "width_m", "depth_m"]].max(axis=1)


def _spread(values: pd.Series) -> tuple[float, float, float] | None:
    """Return least, median and most of the known values."""
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.median()), float(known.max())) if len(known) else None


def _page(summary: dict[str, Any]) -> Iterator[str]:
    yield f"{summary['dataset']}: {summary['meshes']} meshes"
    for name, value in summary.items():
        if name in ("dataset", "meshes", "flaws"):
            continue
        if name in (*SIZES, "self_intersecting_faces"):
            value = "{:.4g} … {:.4g} … {:.4g} (least, median, most)".format(*value) if value else "unknown"
        yield f"  {name:22} {value}"
    yield "  unusual:" if summary["flaws"] else "  nothing unusual"
    for words, names in summary["flaws"].items():
        more = f", and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        share = f"{len(names)} of {summary['meshes']}"
        yield f"  - {share} {words}: {', '.join(names[:SHOWN])}{more}"
