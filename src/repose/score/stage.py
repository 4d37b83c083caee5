"""Stage `score`: predictions and truth → a row per test triple, pair of images or body, and metric."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from repose.config.learned import Kind
from repose.errors import ReposeError
from repose.models.image_scorer import ImageScorer
from repose.models.load import load_weights
from repose.provenance.code import of_kind, stage_code
from repose.provenance.manifest import Manifest, manifest_path
from repose.score.artefact import begin, differences, finish, inputs_of
from repose.score.images import score_images
from repose.score.poses import score_poses
from repose.score.rows import score
from repose.store.images import ImageStore
from repose.store.meshes import MeshStore


def run(
    predictions: Path,
    store: Path,
    splits: Mapping[str, Path],
    out: Path,
    kind: Kind = "meshes",
    scorer: Path | None = None,
) -> None:
    """Score every protocol in `splits` and write `out` (parquet); `scorer` has the weights that judge images."""
    if scorer and kind != "images":
        raise ReposeError(
            f"a scorer judges images, not {kind}", scorer, "`repose judge` judges pictures of meshes"
        )
    code, params = stage_code(of_kind("score", kind)), {} if kind == "meshes" else {"kind": kind}
    recorder = begin("score", code, params, predictions, store, splits, scorer)
    if not recorder.reuse(manifest_path(out)):
        finish(recorder, _rows(predictions, store, splits, kind, scorer), out)


def differs_from_predictions(scores: Manifest) -> list[str]:
    """Score the predictions again and say where the scores differ by more than rounding; nothing is hashed."""
    inputs = inputs_of(scores)
    predictions, store, scorer = inputs.pop("predictions"), inputs.pop("store"), inputs.pop("scorer", None)
    kind = scores.history["params"].get("kind", "meshes")
    return differences(scores, _rows(predictions, store, inputs, kind, scorer))


def _rows(
    predictions: Path, store: Path, splits: Mapping[str, Path], kind: Kind, scorer: Path | None
) -> pd.DataFrame:
    parts = {name: pd.read_parquet(split) for name, split in splits.items()}
    if kind == "poses":
        return score_poses(predictions, MeshStore(store), parts)
    if kind == "images":
        judge = load_weights(ImageScorer(), scorer, "the scorer") if scorer else None
        one = partial(score_images, predictions, ImageStore(store), scorer=judge)
    else:
        one = partial(score, predictions, MeshStore(store))
    return pd.concat([one(name, part) for name, part in parts.items()], ignore_index=True)
