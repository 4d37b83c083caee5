"""Stage `score-renders`: from predicted meshes, truths and a trained scorer to a row per body and metric."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from repose import specs
from repose.medium import Medium
from repose.provenance.manifest import Manifest
from repose.score.artefact import differences, inputs_of, rows_of, write_scores
from repose.score.renders import score


def run(
    predictions: Path,
    store: Path,
    splits: Mapping[str, Path],
    scorer: Path,
    out: Path,
    medium: Medium = "meshes",
) -> None:
    """Score renders of the predictions and write `out` (parquet).

    Args:
        predictions: output of the stage `predict`, for a method of meshes or of poses.
        store: the true bodies.
        splits: the test lists to score; for generated poses the parts `train` and `unseen`.
        scorer: weights of a `render-scorer`.
        out: the file to write.
        medium: medium of the method.

    Raises:
        ReposeError: the predictions were made from another store or split, or see `repose.score.renders.score`.
    """
    inputs = {"predictions": predictions, "store": store, **splits, "scorer": scorer}
    write_scores(specs.score_renders(medium), inputs, partial(score, medium=medium), out)


def differs_from_predictions(scores: Manifest) -> list[str]:
    """Score the renders again, and report differences larger than rounding; nothing is hashed."""
    again = partial(score, medium=scores.history["params"]["medium"])
    return differences(scores, rows_of(inputs_of(scores), again))
