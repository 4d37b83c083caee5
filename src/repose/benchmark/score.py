"""Scores on a versioned list: of submissions, of this repository's own methods, and of the baselines.

Submissions are converted to predictions in the format of our own methods, and are scored by the same code.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from repose import specs
from repose.benchmark import VERSION
from repose.benchmark.card import Card
from repose.benchmark.listed_meshes import ListedMeshes
from repose.benchmark.lists import List, Row, hashes_path
from repose.benchmark.metrics import Pair
from repose.benchmark.parts import part_labels
from repose.benchmark.sources import Sources, write_vertices
from repose.benchmark.submission import CARD, Submission
from repose.columns import TRIPLE
from repose.errors import ReposeError
from repose.methods.tracks import track_of
from repose.metrics.benchmark import DIAGNOSTICS, METRICS, WITHOUT_ORDER
from repose.metrics.metric import measured
from repose.predict.read_meshes import transfers
from repose.provenance.making import making
from repose.provenance.manifest import Manifest, load, manifest_path
from repose.provenance.stated import stated
from repose.score.artefact import differences, inputs_of, write_rows
from repose.store.arrays import read_meta

BASELINES = {"copy-identity": "P", "copy-pose": "PC"}
"""The baselines, which need no predictions, and the tracks that give what they copy."""
ALLOWED_TO_FAIL = 0.05  # share of the rows that may fail; a method that fails on more is not ranked
KEYS = ["triple_id", *TRIPLE]

Float = NDArray[np.float64]


def hand_in(given: Submission, listing: List, bodies: ListedMeshes, sources: Sources, out: Path) -> None:
    """Write submitted predictions in the format of the stage `predict`, with the card beside them.

    The identity mesh takes the place of a failed triple. A submission with two seeds becomes two artefacts.
    """
    params = {
        "version": VERSION,
        "dataset": listing.dataset,
        "list": listing.name,
        "seed": given.seed,
        "sums": given.sums,
        "card": given.card.model_dump(mode="json"),
    }
    with making(specs.handed_in(params), out, sources.meshes, later=("store",)) as new:
        if new.finished:
            return
        found = given.predictions
        failed = [row.triple_id for row in listing.rows if row.triple_id not in found]
        parts = [
            bodies.mesh(row.identity_mesh).vertices if row.triple_id in failed else found[row.triple_id]
            for row in listing.rows
        ]
        single = all(v.dtype == np.float32 for v in found.values())
        with new.file(out) as private:
            data = np.stack(parts).astype(np.float32 if single else np.float64)
            write_vertices(private, listing, data, failed=failed)
        new.text(out.with_name(f"{out.stem}.{CARD}"), (given.folder / CARD).read_text(encoding="utf-8"))
        new.describe = {"protocols": [listing.name], "failed": len(failed)}


class About(NamedTuple):
    """The facts that a ranking states about scores besides their numbers.

    Attributes:
        source: `repose`, `external` or `baseline`.
        method, version: name and version of the method.
        track: None for an oracle.
        order: vertex order, `identity` or `none`.
        seed: seed of the training.
        training: the training data.
        optimised: seconds of optimisation at test time; None: not known.
        parameters: number of parameters of the network.
        unranked: why it has no rank; empty if it has one.
    """

    source: str
    method: str
    version: str
    track: str | None
    order: str
    seed: int
    training: str
    optimised: float | None
    parameters: int
    unranked: str


def about(predictions: Manifest, listing: List) -> About:
    """Return what predictions state about themselves: by a submission's card, or by the settings of our own method."""
    params = predictions.history["params"]
    if predictions.content["stage"] == "handed-in":
        card = Card.model_validate(params["card"])
        failed = predictions.content["describe"]["failed"] / len(listing.rows)
        why = card.contaminated_by(listing)
        unranked = f"contaminated: {why}" if why else ""
        if not unranked and failed > ALLOWED_TO_FAIL:
            unranked = f"{failed:.0%} of the triples failed"
        optimised = card.test_time_optimisation_seconds
        return About(
            "external", card.method.name, card.method.version, card.track, card.order, params["seed"],
            card.training.supervision, optimised, card.parameters, unranked,
        )  # fmt: skip
    method, told = predictions.path.parent.name, params["told"]
    track = track_of(told, listing.source is not None)
    seed = int(predictions.path.name.removeprefix("seed").partition(".")[0])
    training = (
        "truth" if "truth" in told else "no truths" if "run" in predictions.history["inputs"] else "none"
    )
    unranked = "" if track else "is told the answer"
    parameters = predictions.content["describe"]["parameters"]
    version = predictions.history["software"]["repose"]
    return About("repose", method, version, track, "identity", seed, training, None, parameters, unranked)


def score_predictions(predictions: Path, sources: Sources, out: Path) -> None:
    """Score predictions of a list, ours or submitted ones.

    Raises:
        ReposeError: the predictions are of other triples, or were made from other meshes, than those of the list.
    """
    listing, bodies = sources.open()
    manifest = load(manifest_path(predictions))
    said = about(manifest, listing)
    params = _params(listing, said)
    spec, inputs = specs.benchmark_scores(params), {"predictions": predictions, **sources.all}
    with making(spec, out, inputs, later=("predictions", "store")) as new:
        # otherwise they are predictions of the split
        same = {"store", "listed"} & manifest.history["inputs"].keys()
        new.made_from("predictions", {name: name for name in sorted(same)})
        if not new.finished:
            write_rows(new, _rows(said, listing, bodies, sources.recipe, predictions), out)


def score_baseline(baseline: str, sources: Sources, out: Path) -> None:
    """Score a baseline, which copies an input; `BASELINES` has the names."""
    listing, bodies = sources.open()
    said = About("baseline", baseline, "", BASELINES[baseline], "identity", 0, "none", 0.0, 0, "a baseline")
    spec = specs.benchmark_scores(_params(listing, said))
    with making(spec, out, sources.all, later=("store",)) as new:
        if not new.finished:
            write_rows(new, _rows(said, listing, bodies, sources.recipe), out)


def _params(listing: List, said: About) -> dict[str, Any]:
    head = {"version": VERSION, "dataset": listing.dataset, "list": listing.name, "sha256": listing.sha256}
    return {**head, "about": said._asdict()}


Predicted = Iterator[tuple[Row, Float, bool]]  # a row, its vertices, and whether it failed


def _predicted(predictions: Path, listing: List) -> Predicted:
    vertices = transfers(predictions, listing.name, listing.triples).numpy()
    meta = read_meta(predictions / listing.name, stated(predictions))
    failed = set(meta["attributes"].get("failed", ()))
    for row, found in zip(listing.rows, vertices, strict=True):
        yield row, found.astype(np.float64), row.triple_id in failed


def _copied(baseline: str, listing: List, bodies: ListedMeshes) -> Predicted:
    for row in listing.rows:
        name = row.identity_mesh if baseline == "copy-identity" else row.pose_mesh
        yield row, bodies.mesh(name).vertices, False


def _rows(
    said: About, listing: List, bodies: ListedMeshes, recipe: Path | None, predictions: Path | None = None
) -> pd.DataFrame:
    """Return rows with columns `KEYS`, headline, metric and value; without predictions, those of a baseline."""
    metrics = (*METRICS, *DIAGNOSTICS) if said.order == "identity" else WITHOUT_ORDER
    parts = part_labels(recipe) if recipe else None
    predicted = _predicted(predictions, listing) if predictions else _copied(said.method, listing, bodies)
    values = []
    for row, vertices, failed in predicted:
        if not row.truth_mesh:
            raise ReposeError("the list has no truths", f"{listing.dataset}/{listing.name}")
        identity, truth = bodies.mesh(row.identity_mesh), bodies.mesh(row.truth_mesh)
        pair = Pair(vertices, truth.vertices, identity.vertices, truth.faces, failed, parts)
        values.append({name: float(value) for name, value in measured(metrics, pair).items()})
    wide = listing.triples.join(pd.DataFrame(values))
    names = [name for name in wide.columns if name not in (*KEYS, "headline")]
    return wide.melt([*KEYS, "headline"], names, var_name="metric", value_name="value").dropna()


def differs_from_predictions(scores: Manifest) -> list[str]:
    """Score again from predictions and truths, and report differences larger than rounding; nothing is hashed."""
    inputs = inputs_of(scores)
    sources = Sources(inputs["listed"], inputs["store"], inputs.get("recipe"))
    listing, bodies = sources.open()
    said = scores.history["params"]
    known = scores.parents.get("predictions")
    now = about(load(known), listing) if known else About(**said["about"])
    if _params(listing, now) != said:
        return ["says something else of the method, or of the list, than its predictions do"]
    return differences(scores, _rows(now, listing, bodies, sources.recipe, inputs.get("predictions")))


def meshes_sha256(listed: Path) -> str:
    """Return the sha256 of the file of mesh hashes of a list."""
    return hashlib.sha256(hashes_path(listed).read_bytes()).hexdigest()
