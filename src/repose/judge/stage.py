"""Stage `judge`: predicted meshes, truth and a trained scorer of pictures → a row per body and metric."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from repose.config.learned import Kind
from repose.judge.rows import judge_poses, judge_transfers
from repose.models.load import load_weights
from repose.models.render_scorer import RenderScorer
from repose.provenance.code import stage_code
from repose.provenance.manifest import Manifest, manifest_path
from repose.score.artefact import begin, differences, finish, inputs_of
from repose.store.meshes import MeshStore


def run(
    predictions: Path, store: Path, splits: Mapping[str, Path], scorer: Path, out: Path, kind: Kind = "meshes"
) -> None:
    """Judge the predictions and write `out` (parquet).

    Args:
        predictions: of a method of meshes, or, of kind `poses`, of one that makes up poses.
        store: the true bodies.
        splits: the test lists to judge; of made-up poses the parts `train` and `unseen`.
        scorer: weights of a render-scorer.
        out: what to write.
        kind: of the method.
    """
    recorder = begin("judge", stage_code("judge"), {"kind": kind}, predictions, store, splits, scorer)
    if not recorder.reuse(manifest_path(out)):
        finish(recorder, _rows(predictions, store, splits, scorer, kind), out)


def differs_from_predictions(judged: Manifest) -> list[str]:
    """Judge the predictions again and say where that differs by more than rounding; nothing is hashed."""
    inputs = inputs_of(judged)
    predictions, store, scorer = (inputs.pop(name) for name in ("predictions", "store", "scorer"))
    kind = judged.history["params"]["kind"]
    return differences(judged, _rows(predictions, store, inputs, scorer, kind))


def _rows(
    predictions: Path, store: Path, splits: Mapping[str, Path], scorer: Path, kind: Kind
) -> pd.DataFrame:
    bodies, judge = MeshStore(store), load_weights(RenderScorer(), scorer, "the scorer")
    parts = {name: pd.read_parquet(split) for name, split in splits.items()}
    if kind == "poses":
        return judge_poses(predictions, bodies, parts, judge)
    found = [judge_transfers(predictions, bodies, name, part, judge) for name, part in parts.items()]
    return pd.concat(found, ignore_index=True)
