"""Stage `score`: predictions and truth → a row per test triple, pair of images or body, and metric."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from repose import specs
from repose.errors import ReposeError
from repose.methods.load import load_weights
from repose.methods.scorers.image_scorer import ImageScorer
from repose.methods.settings import Medium
from repose.provenance.manifest import Manifest
from repose.raw.settings import Official
from repose.score.artefact import differences, inputs_of, scoring, write_rows
from repose.score.images import score_images
from repose.score.meshes import score
from repose.score.official import open_judges
from repose.score.poses import score_poses
from repose.store.image_store import ImageStore
from repose.store.mesh_store import MeshStore


def run(
    predictions: Path,
    store: Path,
    splits: Mapping[str, Path],
    out: Path,
    medium: Medium = "meshes",
    scorer: Path | None = None,
    official: Official | None = None,
) -> None:
    """Score every protocol in `splits` and write `out` (parquet).

    `scorer` has the weights that judge images; `official` names the published ones, for photos.
    """
    if scorer and medium != "images":
        raise ReposeError(
            f"a scorer judges images, not {medium}",
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
    medium, given = params.get("medium", "meshes"), params.get("official")
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
    parts = {name: pd.read_parquet(split) for name, split in splits.items()}
    if medium == "poses":
        return score_poses(predictions, MeshStore(store), parts)
    if medium == "images":
        judge = load_weights(ImageScorer(), scorer, "the scorer") if scorer else None
        judges = open_judges(official) if official else None
        one = partial(score_images, predictions, ImageStore(store), scorer=judge, official=judges)
    else:
        one = partial(score, predictions, MeshStore(store))
    return pd.concat([one(name, part) for name, part in parts.items()], ignore_index=True)
