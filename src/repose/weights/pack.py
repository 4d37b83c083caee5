"""The command `repose pack-weights`: from a finished training to weights in half precision with their model card."""

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors.torch import load_file, save

from repose.errors import ReposeError
from repose.provenance.manifest import Manifest, manifest_path, verify
from repose.provenance.publish import publish
from repose.reading import MAX_TEXT, foreign, read_bytes, read_json
from repose.weights.model import METADATA, arguments_of, method_of
from repose.weights.shipped import CARD

_HISTORY = ("started", "seconds", "device", "code", "software")
_SCORES = ("pmd_e4", "edge_error")


def pack(run: Path, table: Path, out: Path) -> dict[str, Any]:
    """Write the weights of a run in half precision, with settings and card in the file's metadata.

    Args:
        run: folder `runs/DATASET/METHOD/seedN` of a results folder.
        table: a table (.csv) with rows of the method, with and without projections.
        out: the .safetensors file.

    Returns:
        The card.

    Raises:
        ReposeError: something is missing or damaged, or half precision cannot hold the weights.
    """
    if out.suffix != ".safetensors":
        raise ReposeError("the output is a .safetensors file", out)
    manifest = verify(manifest_path(run / "model.safetensors"))
    summary = read_json(run / "run.json")
    tensors = {name: x.half().contiguous() for name, x in load_file(run / "model.safetensors").items()}
    if bad := [name for name, x in tensors.items() if not x.isfinite().all()]:
        raise ReposeError(f"{bad[0]} has values beyond half precision", run)
    found = card(run, manifest, summary, table)
    about = {
        METADATA: json.dumps(arguments_of(method_of(summary)), sort_keys=True),
        CARD: json.dumps(found, sort_keys=True),
    }
    with publish(out) as private:
        private.write_bytes(save(tensors, about))
    return found


def card(run: Path, manifest: Manifest, summary: dict[str, Any], table: Path) -> dict[str, Any]:
    """Return the facts that a user of the weights should know, from the run's history and a table of its scores."""
    history = manifest.history
    dataset, method, seed = run.parts[-3:]
    catalog = pd.read_parquet(
        run.parents[3] / "data" / dataset / "catalog.parquet", columns=["source", "licence"]
    )
    content, hint = read_bytes(table, MAX_TEXT), "give one of the workflow, such as results/table1.csv"
    with foreign(table, "not a table", hint):
        rows = pd.read_csv(io.BytesIO(content))
    if missing := {"dataset", "method", "protocol", *_SCORES} - set(rows.columns):
        raise ReposeError(f"the table has no column {min(missing)!r}", table, hint)
    mine = rows[(rows.dataset == dataset) & rows.method.str.startswith(method)]
    if mine.empty:
        raise ReposeError(f"the table has no row of {method} on {dataset}", table)
    scores = {
        f"{row['method']} {row['protocol']}": {name: float(row[name]) for name in _SCORES}
        for row in mine.to_dict("records")
    }
    return {
        "trained_on": f"{dataset}: {', '.join(sorted(catalog.source.unique()))}",
        "licence": ", ".join(sorted(catalog.licence.unique())),
        "method": summary["method"],
        "seed": summary["seed"],
        "step": summary["best_step"],
        **{name: history[name] for name in _HISTORY if name in history},
        "digest": manifest.digest,
        "scores": scores,
        "run": f"{dataset}/{method}/{seed}",
    }
