"""The common part of scores and scores of renders: made from checked predictions, and recomputed by an audit."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from repose.provenance.making import Artefact, making
from repose.provenance.manifest import Manifest, load
from repose.reading import read_rows

if TYPE_CHECKING:
    from repose.specs import Spec

ROUNDING = 1e-4  # tolerance of float32 metrics computed on another machine


def write_scores(
    spec: "Spec", inputs: Mapping[str, Path], score: Callable[..., pd.DataFrame], out: Path
) -> None:
    """Write scores (parquet); refuse predictions that were made from another store or another split.

    Args:
        spec: what decides the scores.
        inputs: as `rows_of` takes them.
        score: the scoring function of the medium.
        out: the file to write.
    """
    with making(spec, out, inputs, later=("predictions", "store")) as new:
        new.made_from("predictions", {name: name for name in inputs if name not in ("predictions", "scorer")})
        if not new.finished:
            write_rows(new, rows_of(inputs, score), out)


def rows_of(inputs: Mapping[str, Path], score: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Return the scores of `predictions`, by `store` and optionally `scorer`; other inputs are test lists by name."""
    given = {name: inputs[name] for name in ("predictions", "store", "scorer") if name in inputs}
    return score(**given, parts={name: read_rows(path) for name, path in inputs.items() if name not in given})


def write_rows(new: Artefact, rows: pd.DataFrame, out: Path) -> None:
    """Write the rows to `out` (parquet)."""
    with new.file(out) as private:
        rows.to_parquet(private, index=False)
    new.describe = {"rows": len(rows)}


def inputs_of(scores: Manifest) -> dict[str, Path]:
    """Return what scores were made from, by the name of the input."""
    return {name: load(manifest).artefact for name, manifest in scores.parents.items()}


def differences(scores: Manifest, fresh: pd.DataFrame) -> list[str]:
    """Return where scores differ by more than rounding from recomputed rows; nothing is hashed."""
    key = [column for column in fresh if column != "value"]
    kept, again = (
        table.set_index(key).value.sort_index(kind="stable") for table in (read_rows(scores.artefact), fresh)
    )
    if not kept.index.equals(again.index):
        return ["scores other triples or metrics than the predictions have"]
    off = np.flatnonzero(~np.isclose(kept, again, rtol=ROUNDING, atol=1e-12, equal_nan=True))
    if not len(off):
        return []
    where, stands, gives = " ".join(map(str, kept.index[off[0]])), kept.iloc[off[0]], again.iloc[off[0]]
    return [f"{len(off)} scores differ from the predictions: {where} is {stands}, predictions give {gives}"]
