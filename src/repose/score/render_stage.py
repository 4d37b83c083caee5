"""Stage `judge`: pictures of predicted meshes and of the truth, and a trained scorer → a row per body and metric."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from repose.methods.settings import Medium
from repose.provenance.code import stage_code
from repose.provenance.manifest import Manifest, manifest_path
from repose.score.artefact import begin, differences, finish, inputs_of
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
    recorder = begin("judge", stage_code("judge"), {"medium": medium}, predictions, store, splits, scorer)
    if not recorder.reuse(manifest_path(out)):
        finish(recorder, _rows(predictions, store, splits, scorer, medium), out)


def differs_from_predictions(scores: Manifest) -> list[str]:
    """Score the pictures again and say where that differs by more than rounding; nothing is hashed."""
    inputs = inputs_of(scores)
    predictions, store, scorer = (inputs.pop(name) for name in ("predictions", "store", "scorer"))
    medium = scores.history["params"]["medium"]
    return differences(scores, _rows(predictions, store, inputs, scorer, medium))


def _rows(
    predictions: Path, store: Path, splits: Mapping[str, Path], scorer: Path, medium: Medium
) -> pd.DataFrame:
    parts = {name: pd.read_parquet(split) for name, split in splits.items()}
    return score(predictions, store, parts, scorer, medium)
