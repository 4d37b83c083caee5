"""Stage `score`: from predictions and truths to a row per metric and test triple, pair of images, or body."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from repose import specs
from repose.errors import ReposeError
from repose.medium import Medium, module_of
from repose.provenance.manifest import Manifest
from repose.raw.settings import Official
from repose.score.artefact import differences, inputs_of, rows_of, write_scores


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
        predictions: output of the stage `predict`.
        store: the true bodies or images.
        splits: the test lists to score; for generated poses the parts `train` and `unseen`.
        out: the file to write.
        medium: medium of the method.
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
    inputs = {"predictions": predictions, "store": store, **splits, **({"scorer": scorer} if scorer else {})}
    write_scores(specs.score(medium, official), inputs, _score_of(medium, official), out)


def differs_from_predictions(scores: Manifest) -> list[str]:
    """Score the predictions again, and report differences larger than rounding; nothing is hashed."""
    params = scores.history["params"]
    official = Official.model_validate(params["official"]) if params.get("official") else None
    return differences(scores, rows_of(inputs_of(scores), _score_of(params["medium"], official)))


def _score_of(medium: Medium, official: Official | None) -> Callable[..., pd.DataFrame]:
    return partial(module_of("repose.score", medium).score, **({"official": official} if official else {}))
