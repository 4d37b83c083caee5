"""Stage `score`: predictions and truth → a row per test triple, pair of images or body, and metric."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from repose import specs
from repose.errors import ReposeError
from repose.medium import Medium, module_of
from repose.provenance.manifest import Manifest
from repose.raw.settings import Official
from repose.reading import read_rows
from repose.score.artefact import differences, inputs_of, scoring, write_rows


def run(
    predictions: Path,
    store: Path,
    splits: Mapping[str, Path],
    out: Path,
    medium: Medium = "meshes",
    scorer: Path | None = None,
    official: Official | None = None,
) -> None:
    """Score the predictions and write `out` (parquet).

    Args:
        predictions: what the stage `predict` wrote.
        store: the true bodies or images.
        splits: the test lists to score; for generated poses the parts `train` and `unseen`.
        out: the file to write.
        medium: of the method.
        scorer: weights of an `image-scorer`, for images.
        official: the published scorers, for photos.

    Raises:
        ReposeError: the predictions were made from another store or split, or a scorer does not fit.
    """
    if scorer and medium != "images":
        raise ReposeError(
            f"a scorer here scores images, not {medium}",
            scorer,
            "`repose score-renders` scores pictures of meshes",
        )
    with scoring(specs.score(medium, official), predictions, store, splits, scorer, out) as new:
        if not new.finished:
            write_rows(new, _rows(predictions, store, splits, medium, scorer, official), out)


def differs_from_predictions(scores: Manifest) -> list[str]:
    """Score the predictions again and say where the scores differ by more than rounding; nothing is hashed."""
    inputs = inputs_of(scores)
    predictions, store, scorer = inputs.pop("predictions"), inputs.pop("store"), inputs.pop("scorer", None)
    params = scores.history["params"]
    medium, given = params["medium"], params.get("official")
    official = Official.model_validate(given) if given else None
    return differences(scores, _rows(predictions, store, inputs, medium, scorer, official))


def _rows(
    predictions: Path,
    store: Path,
    splits: Mapping[str, Path],
    medium: Medium,
    scorer: Path | None,
    official: Official | None,
) -> pd.DataFrame:
    parts = {name: read_rows(split) for name, split in splits.items()}
    given = {name: value for name, value in (("scorer", scorer), ("official", official)) if value}
    return module_of("repose.score", medium).score(predictions, store, parts, **given)
