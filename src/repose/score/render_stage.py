"""Stage `score-renders`: pictures of predicted meshes, the truth, a trained scorer → a row per body and metric."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from repose import specs
from repose.medium import Medium
from repose.provenance.manifest import Manifest
from repose.reading import read_rows
from repose.score.artefact import differences, inputs_of, scoring, write_rows
from repose.score.renders import score


def run(
    predictions: Path,
    store: Path,
    splits: Mapping[str, Path],
    scorer: Path,
    out: Path,
    medium: Medium = "meshes",
) -> None:
    """Score pictures of the predictions and write `out` (parquet).

    Args:
        predictions: what the stage `predict` wrote, for a method of meshes or one of poses.
        store: the true bodies.
        splits: the test lists to score; for generated poses the parts `train` and `unseen`.
        scorer: weights of a `render-scorer`.
        out: the file to write.
        medium: of the method.

    Raises:
        ReposeError: the predictions were made from another store or split, or as `repose.score.renders.score`.
    """
    with scoring(specs.score_renders(medium), predictions, store, splits, scorer, out) as new:
        if not new.finished:
            write_rows(new, _rows(predictions, store, splits, scorer, medium), out)


def differs_from_predictions(scores: Manifest) -> list[str]:
    """Score the pictures again and say where that differs by more than rounding; nothing is hashed."""
    inputs = inputs_of(scores)
    predictions, store, scorer = (inputs.pop(name) for name in ("predictions", "store", "scorer"))
    medium = scores.history["params"]["medium"]
    return differences(scores, _rows(predictions, store, inputs, scorer, medium))


def _rows(
    predictions: Path, store: Path, splits: Mapping[str, Path], scorer: Path, medium: Medium
) -> pd.DataFrame:
    parts = {name: read_rows(split) for name, split in splits.items()}
    return score(predictions, store, parts, scorer, medium)
