"""The commands `repose submit`: hand out the inputs of a track, check a submission, score and rank it."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from repose.benchmark import VERSION, rank
from repose.benchmark.card import read_card, template
from repose.benchmark.checks import checked
from repose.benchmark.diagnostics import diagnose
from repose.benchmark.inputs import further, handed
from repose.benchmark.listed_meshes import ListedMeshes
from repose.benchmark.lists import List, hashes_path, known_of
from repose.benchmark.score import BASELINES, hand_in, meshes_sha256, score_baseline, score_predictions
from repose.benchmark.sources import Sources
from repose.benchmark.submission import CARD, Submission, folders_of, read_submission
from repose.errors import ReposeError
from repose.mesh.formats.obj import format_obj
from repose.methods.copies.settings import only_copies
from repose.methods.tracks import TRACKS
from repose.progress import track as shown
from repose.provenance.manifest import load, manifest_path
from repose.provenance.publish import publish
from repose.results import Results

_SHUFFLED = """\
Vertices, triangles and the first corners of triangles are in random orders, which follow from the sha256 of the list
and the id of the triple (`repose.benchmark.inputs`).\
"""


def init(sources: Sources, track: str, out: Path) -> str:
    """Write the inputs of a track, a card to fill in, and instructions for the submission.

    Args:
        sources: the local files of the list.
        track: one of `repose.methods.tracks.TRACKS`.
        out: folder to create.

    Returns:
        A line about what was written.

    Raises:
        ReposeError: the folder exists, there is no such track, or the list does not fit the track.
    """
    if track not in TRACKS:
        raise ReposeError(f"no track {track!r}", hint=f"tracks are {', '.join(TRACKS)}")
    if out.exists():
        raise ReposeError("is there already", out, "name a new folder")
    listing, bodies = sources.open()
    if track == "S" and listing.source is None:
        raise ReposeError(
            "track S is of lists whose poses are all shown by one body", f"{listing.dataset}/{listing.name}",
            "such as one-source",
        )  # fmt: skip
    if listing.has_other_triangles and (TRACKS[track].hands_rest or not TRACKS[track].shuffles):
        raise ReposeError(
            f"track {track} needs vertices that correspond, and pose meshes have others here",
            f"{listing.dataset}/{listing.name}",
            "tracks P and K need none",
        )
    with publish(out) as private:
        _hand_out(listing, bodies, track, private)
        for name in (sources.listed, hashes_path(sources.listed)):
            (private / name.name).write_bytes(name.read_bytes())
        (private / "README.md").write_text(_readme(listing, track), encoding="utf-8")
        submission = private / "submission"
        (submission / "predictions").mkdir(parents=True)
        card = template(listing, meshes_sha256(sources.listed), track)
        (submission / CARD).write_text(card, encoding="utf-8")
    return f"{out}: inputs of {len(listing.rows)} triples of {listing.dataset}/{listing.name}, track {track}"


def _hand_out(listing: List, bodies: ListedMeshes, track: str, out: Path) -> None:
    for row in shown(listing.rows, len(listing.rows), f"inputs {listing.dataset}/{listing.name}"):
        folder = out / "inputs" / row.triple_id
        folder.mkdir(parents=True)
        for name, mesh in handed(listing, row, track, bodies).items():
            (folder / f"{name}.obj").write_bytes(format_obj(mesh))
    if track == "S":
        (out / "source").mkdir()
        for name, mesh in further(listing, bodies).items():
            (out / "source" / f"{name}.obj").write_bytes(format_obj(mesh))


def _readme(listing: List, track: str) -> str:
    """Return the text of the instructions: what was handed out, what to submit, and how."""
    given, row = TRACKS[track], listing.rows[0]
    files = ["`identity.obj`", "`pose.obj`"] + (["`pose-rest.obj`"] if given.hands_rest else [])
    order = _SHUFFLED if given.shuffles else "Vertex k of all meshes is the same place on the body."
    within = " `pose.obj` and `pose-rest.obj` share one order." if given.hands_rest and given.shuffles else ""
    more = (
        "\n\n`source/` has further poses of the body of all `pose.obj`, in its order." if track == "S" else ""
    )
    facts = "".join(f"- {what.replace('_', ' ')}: {said}\n" for what, said in known_of(listing).items())
    card = f"\n## What is known of this list\n\n{facts}" if facts else ""
    return f"""\
# {VERSION}: {listing.dataset}/{listing.name}, track {track}

`inputs/<triple_id>/` has what a method may see of each of {len(listing.rows)} triples: {", ".join(files)}; metres,
y up. Identity: {given.identity}. Pose: {given.pose}. Correspondence: {given.correspondence}.
{order}{within}{more}

The task: the body of `identity.obj` in the pose of `pose.obj`. What comes back is where the vertices of
`identity.obj` are then, in its order:

    submission/card.yaml                          fill it in; what is `~` and must say something is refused
    submission/predictions/<triple_id>.npz        numpy.savez(path, vertices=array): (V, 3) float32 or float64, metres
    submission/predictions/<triple_id>.obj        or this; only its `v` lines count
    submission/SHA256SUMS                         made last: sha256sum card.yaml predictions/* > SHA256SUMS

The first triple is `{row.triple_id}`. A triple without a prediction is named under `failed` in the card; it counts as
a copy of the identity. Of several seeds each is a folder: `my-method/seed0/card.yaml`, `my-method/seed1/card.yaml`.

    repose submit check submission                what would be refused, and what looks like a mistake
    repose submit score submission                its row
{card}"""


def list_of(path: Path) -> tuple[str, str]:
    """Return dataset and name of the list of the submissions in a folder, which must all be of one list."""
    cards = {folder: read_card(folder / CARD).list for folder in folders_of(path)}
    (first, said), *others = cards.items()
    for folder, other in others:
        if other != said:
            raise ReposeError(
                f"is of another list than {first}", folder / CARD, "seeds of one row have one list"
            )
    return said.dataset, said.name


def check(path: Path, sources: Sources) -> tuple[list[Submission], list[str]]:
    """Check all seeds in a folder.

    Returns:
        The submissions that may be scored, and lines about what may be wrong with them.

    Raises:
        ReposeError: a submission is refused; docs/benchmark.md lists all reasons.
    """
    listing, bodies = sources.open()
    counts = {row.triple_id: len(bodies.mesh(row.identity_mesh).vertices) for row in listing.rows}
    hashes = meshes_sha256(sources.listed)
    found, notes = [], []
    for folder in folders_of(path):
        given = checked(read_submission(folder, listing, counts, hashes), listing, bodies)
        if why := given.card.contaminated_by(listing):
            notes.append(f"{folder}: {why}: it is scored, and has no rank")
        notes += [f"{folder}: {line}" for line in diagnose(given, listing, bodies)]
        found.append(given)
    _check_alike(found)
    return found, notes


def _check_alike(found: Sequence[Submission]) -> None:
    """Refuse seeds that differ in more than the seed."""
    own = {"failed", "seconds_per_triple", "test_time_optimisation_seconds", "hardware", "date"}
    cards = [given.card.model_dump(exclude=own) for given in found]
    for given, card in zip(found, cards, strict=True):
        if odd := [key for key in card if card[key] != cards[0][key]]:
            what = f"{odd[0]} is not that of the other seeds"
            raise ReposeError(what, given.folder / CARD, "one method, one card")
    if len({given.seed for given in found}) < len(found):
        raise ReposeError("two folders are of one seed", found[0].folder.parent)


def score(path: Path, sources: Sources, results: Results) -> tuple[pd.DataFrame, list[str], Path]:
    """Score a folder of predictions, and rank it among everything scored on its list.

    Returns:
        The ranking, lines about what may be wrong, and the file of the ranking.

    Raises:
        ReposeError: see `check`.
    """
    found, notes = check(path, sources)
    listing, bodies = sources.open()
    for given in found:
        place = listing.dataset, listing.name, given.card.method.name, given.seed
        hand_in(given, listing, bodies, sources, results.handed_in(*place))
    table, more, out = rank_all(sources, results)
    return table, notes + more, out


def rank_all(sources: Sources, results: Results) -> tuple[pd.DataFrame, list[str], Path]:
    """Score and rank the baselines, our own predictions of a list if they exist, and all submissions, new and old.

    Existing scores are not recomputed.

    Returns:
        The ranking, lines about what is left out, and the file of the ranking.
    """
    listing, _ = sources.open()
    place, notes = (listing.dataset, listing.name), []
    scores: dict[str, Path] = {}
    for baseline in BASELINES:
        if baseline == "copy-pose" and listing.has_other_triangles:
            continue
        out = results.benchmark_scores(*place, "baseline", baseline, 0)
        score_baseline(baseline, sources, out)
        scores[f"baseline/{baseline}/seed0"] = out
    for source, predictions in _predicted(listing, results):
        method, seed = predictions.parent.name, predictions.stem.removeprefix("seed")
        out = results.benchmark_scores(*place, source, method, seed)
        try:
            score_predictions(predictions, sources, out)
        except ReposeError as error:
            notes.append(f"{method}, seed {seed}, is left out: {error.what}")
        else:
            scores[f"{source}/{method}/seed{seed}"] = out
    ranking = results.ranking(*place)
    return rank.run(scores, ranking), notes, ranking


def _predicted(listing: List, results: Results) -> Iterator[tuple[str, Path]]:
    """Yield the predictions of a list, by this repository's methods and submitted ones.

    Our methods that only copy are the baselines, which are scored anyway.
    """
    place = listing.dataset, listing.name
    ours = results.predictions(listing.dataset, "_", 0), results.benchmark_predictions(*place, "_", 0)
    for path in itertools.chain(*map(_beside, ours)):
        manifest = load(manifest_path(path))
        is_of = listing.name in manifest.content["describe"].get("protocols", ())
        if is_of and not only_copies(manifest.history["params"]["method"]):
            yield "repose", path
    for path in _beside(results.handed_in(*place, "_", 0)):
        yield "external", path


def _beside(predictions: Path) -> list[Path]:
    """Return the predictions of all methods and seeds in the folder tree that those of one method and seed lie in."""
    found = sorted(predictions.parent.parent.glob("*/seed*.manifest.json"))
    return [path.with_name(path.name.replace(".manifest.json", ".zarr")) for path in found]
