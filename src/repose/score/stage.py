"""Stage `score`: predictions and truth → a row per test triple and metric."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from repose.provenance.code import stage_code
from repose.provenance.manifest import Recorder, check_link, manifest_path
from repose.provenance.publish import publish
from repose.score.rows import score
from repose.store.meshes import MeshStore


def run(predictions: Path, store: Path, splits: Mapping[str, Path], out: Path) -> None:
    """Score every protocol in `splits` and write `out` (parquet)."""
    recorder = Recorder("score", stage_code("score"), {})
    predicted = recorder.uses("predictions", manifest_path(predictions))
    check_link(predicted, "store", recorder.uses("store", manifest_path(store)))
    for protocol, split in splits.items():
        check_link(predicted, protocol, recorder.uses(protocol, manifest_path(split)))
    meshes = MeshStore(store)
    parts = [score(predictions, meshes, name, pd.read_parquet(split)) for name, split in splits.items()]
    rows = pd.concat(parts, ignore_index=True)
    manifest_path(out).unlink(missing_ok=True)
    with publish(out) as private:
        rows.to_parquet(private, index=False)
    recorder.seal(manifest_path(out), [out], {"rows": len(rows)})
