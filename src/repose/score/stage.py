"""Stage `score`: predictions and truth → a row per test triple, pair of images or body, and metric."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from repose.config.learned import Kind
from repose.models.image_scorer import ImageScorer
from repose.models.load import load_weights
from repose.models.render_scorer import RenderScorer
from repose.provenance.code import of_kind, stage_code
from repose.provenance.manifest import Manifest, Recorder, check_link, load, manifest_path
from repose.provenance.publish import publish
from repose.score.images import PAIR, score_images
from repose.score.poses import KEY, score_poses
from repose.score.rows import TRIPLE, score
from repose.store.images import ImageStore
from repose.store.meshes import MeshStore

Judge = TypeVar("Judge", ImageScorer, RenderScorer)
ROUNDING = 1e-4  # float32 metrics, on another machine


def run(
    predictions: Path,
    store: Path,
    splits: Mapping[str, Path],
    out: Path,
    kind: Kind = "meshes",
    scorer: Path | None = None,
) -> None:
    """Score every protocol in `splits` and write `out` (parquet); `scorer` has the weights that judge pictures."""
    code = stage_code(of_kind("score", kind))
    recorder = Recorder("score", code, {} if kind == "meshes" else {"kind": kind})
    predicted = recorder.uses("predictions", manifest_path(predictions))
    check_link(predicted, "store", recorder.uses("store", manifest_path(store)))
    for protocol, split in splits.items():
        check_link(predicted, protocol, recorder.uses(protocol, manifest_path(split)))
    if scorer:
        recorder.uses("scorer", manifest_path(scorer))
    if recorder.reuse(manifest_path(out)):
        return
    rows = _rows(predictions, store, splits, kind, scorer)
    manifest_path(out).unlink(missing_ok=True)
    with publish(out) as private:
        rows.to_parquet(private, index=False)
    recorder.seal(manifest_path(out), [out], {"rows": len(rows)})


def differs_from_predictions(scores: Manifest) -> list[str]:
    """Score the predictions again and say where the scores differ by more than rounding; nothing is hashed."""
    inputs = {name: _data(load(manifest)) for name, manifest in scores.parents.items()}
    predictions, store, scorer = inputs.pop("predictions"), inputs.pop("store"), inputs.pop("scorer", None)
    kind = scores.history["params"].get("kind", "meshes")
    key = ["protocol", *{"meshes": TRIPLE, "images": PAIR, "poses": KEY}[kind], "metric"]
    kept, fresh = (
        table.set_index(key).value.sort_index(kind="stable")
        for table in (pd.read_parquet(_data(scores)), _rows(predictions, store, inputs, kind, scorer))
    )
    if not kept.index.equals(fresh.index):
        return ["scores other triples or metrics than the predictions have"]
    off = np.flatnonzero(~np.isclose(kept, fresh, rtol=ROUNDING, atol=1e-12))
    if not len(off):
        return []
    where, stands, gives = " ".join(map(str, kept.index[off[0]])), kept.iloc[off[0]], fresh.iloc[off[0]]
    return [f"{len(off)} scores differ from the predictions: {where} is {stands}, predictions give {gives}"]


def _rows(
    predictions: Path, store: Path, splits: Mapping[str, Path], kind: Kind, scorer: Path | None
) -> pd.DataFrame:
    parts = {name: pd.read_parquet(split) for name, split in splits.items()}
    if kind == "poses":
        return score_poses(predictions, MeshStore(store), parts, _judge(RenderScorer(), scorer))
    one: Callable[[str, pd.DataFrame], pd.DataFrame]
    if kind == "images":
        judge = _judge(ImageScorer(), scorer)
        one = partial(score_images, predictions, ImageStore(store), scorer=judge)
    else:
        one = partial(score, predictions, MeshStore(store), scorer=_judge(RenderScorer(), scorer))
    return pd.concat([one(name, part) for name, part in parts.items()], ignore_index=True)


def _judge(network: Judge, weights: Path | None) -> Judge | None:
    return load_weights(network, weights, "the scorer") if weights else None


def _data(artefact: Manifest) -> Path:
    """The one file or folder of an artefact; of several, the one named like its manifest, for machines."""
    stem = artefact.path.name.removesuffix(".manifest.json")
    names = [n for n in artefact.content["files"] if Path(n).stem == stem and Path(n).suffix != ".txt"]
    return artefact.path.parent / names[0]
