"""Stage `judge`: predicted meshes, truth and a trained scorer of pictures → a row per body and metric."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from repose import specs
from repose.methods.load import load_weights
from repose.methods.scorers.render_scorer import RenderScorer
from repose.methods.settings import Medium
from repose.provenance.manifest import Manifest
from repose.score.artefact import differences, inputs_of, scoring, write_rows
from repose.score.renders import judge_poses, judge_transfers
from repose.store.mesh_store import MeshStore


def run(
    predictions: Path,
    store: Path,
    splits: Mapping[str, Path],
    scorer: Path,
    out: Path,
    medium: Medium = "meshes",
) -> None:
    """Judge the predictions and write `out` (parquet).

    Args:
        predictions: of a method of meshes, or, of medium `poses`, of one that makes up poses.
        store: the true bodies.
        splits: the test lists to judge; of made-up poses the parts `train` and `unseen`.
        scorer: weights of a render-scorer.
        out: what to write.
        medium: of the method.
    """
    with scoring(specs.score_renders(medium), predictions, store, splits, scorer, out) as new:
        if not new.finished:
            write_rows(new, _rows(predictions, store, splits, scorer, medium), out)


def differs_from_predictions(judged: Manifest) -> list[str]:
    """Judge the predictions again and say where that differs by more than rounding; nothing is hashed."""
    inputs = inputs_of(judged)
    predictions, store, scorer = (inputs.pop(name) for name in ("predictions", "store", "scorer"))
    medium = judged.history["params"]["medium"]
    return differences(judged, _rows(predictions, store, inputs, scorer, medium))


def _rows(
    predictions: Path, store: Path, splits: Mapping[str, Path], scorer: Path, medium: Medium
) -> pd.DataFrame:
    bodies, judge = MeshStore(store), load_weights(RenderScorer(), scorer, "the scorer")
    parts = {name: pd.read_parquet(split) for name, split in splits.items()}
    if medium == "poses":
        return judge_poses(predictions, bodies, parts, judge)
    found = [judge_transfers(predictions, bodies, name, part, judge) for name, part in parts.items()]
    return pd.concat(found, ignore_index=True)
