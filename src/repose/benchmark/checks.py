"""Checks of a scorer that has the truths: wrong unit, truths submitted, copies of an input, one result for all rows."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

from repose.benchmark.inputs import identity_order
from repose.benchmark.listed_meshes import ListedMeshes
from repose.benchmark.lists import List, Row
from repose.benchmark.submission import FOLDER, Submission, Vertices
from repose.errors import ReposeError
from repose.mesh.mesh import Mesh
from repose.methods.tracks import TRACKS

LARGEST = 20  # largest ratio to the truth's longest side, in both directions
COPIED = 1e-6  # share of the truth's longest side; the size of float32 rounding


def checked(submission: Submission, listing: List, bodies: ListedMeshes) -> Submission:
    """Refuse what no honest method produces, and return the vertices in the order of the dataset's meshes, if any.

    Raises:
        ReposeError: see docs/benchmark.md.
    """
    if not listing.has_truths:
        raise ReposeError("the list has no truths: it cannot be scored", f"{listing.dataset}/{listing.name}")
    found = {
        triple: _in_order(vertices, submission, listing, triple)
        for triple, vertices in submission.predictions.items()
    }
    for triple, vertices in found.items():
        _check_row(vertices, listing.by_id[triple], bodies, submission.folder / FOLDER / triple)
    if not submission.card.method.baseline:  # the inputs of baselines may be equal, and baselines copy them
        _check_one_for_all(submission, listing)
        _check_copies(found, submission, listing, bodies)
    return replace(submission, predictions=found)


def _in_order(vertices: Vertices, submission: Submission, listing: List, triple: str) -> Vertices:
    if submission.card.order == "none":
        return vertices
    order = identity_order(listing, listing.by_id[triple], submission.card.track, len(vertices))
    back = np.empty_like(vertices)
    back[order] = vertices
    return back


def _check_row(vertices: Vertices, row: Row, bodies: ListedMeshes, where: Path) -> None:
    assert row.truth_mesh
    truth = bodies.mesh(row.truth_mesh).vertices
    side, true_side = (float(np.ptp(v, axis=0).max()) for v in (vertices, truth))
    if not true_side / LARGEST <= side <= true_side * LARGEST:
        raise ReposeError(
            f"is {side:.3g} m long, its truth {true_side:.3g} m", where, "unit? predictions are in metres"
        )
    if "same-pose" not in row.flags and _is_copy(vertices, truth):
        raise ReposeError("is the truth itself", where, "a method must not see truths when it is tested")


def _is_copy(vertices: Vertices, mesh: Vertices) -> bool:
    """Return whether one equals the other up to place and rounding, in the same vertex order or in any."""
    if vertices.shape != mesh.shape:
        return False
    one, other = (v - v.mean(axis=0, dtype=np.float64) for v in (vertices, mesh))
    limit = COPIED * float(np.ptp(mesh, axis=0).max())
    if float(np.abs(one - other).max()) <= limit:
        return True
    # In any vertex order, equal bodies have equal distances from the middle.
    radii = [np.sort(np.linalg.norm(v, axis=1)) for v in (one, other)]
    if float(np.abs(radii[0] - radii[1]).max()) > limit:
        return False
    return float(KDTree(other).query(one)[0].max()) <= 2 * limit


def _check_one_for_all(submission: Submission, listing: List) -> None:
    """Refuse one array for triples with different truths."""
    first: dict[bytes, str] = {}
    for triple, vertices in submission.predictions.items():
        digest = hashlib.sha256(vertices.tobytes()).digest()
        other = first.setdefault(digest, triple)
        if listing.by_id[other].truth_mesh != listing.by_id[triple].truth_mesh:
            raise ReposeError(f"is the same array as that of {other}", submission.folder / FOLDER / triple)


def _check_copies(
    found: Mapping[str, Vertices], submission: Submission, listing: List, bodies: ListedMeshes
) -> None:
    """Refuse a method all of whose predictions are one of its inputs."""
    gives_rest = TRACKS[submission.card.track].hands_rest
    given: dict[str, Callable[[str], Mesh]] = {
        "identity": bodies.rest if gives_rest else bodies.mesh,
        "pose": bodies.mesh,
    }
    for what, mesh in given.items():
        names = ((v, getattr(listing.by_id[triple], f"{what}_mesh")) for triple, v in found.items())
        if found and all(_is_copy(vertices, mesh(name).vertices) for vertices, name in names):
            raise ReposeError(
                f"every prediction is the {what} mesh itself", submission.folder / FOLDER,
                "if that is what the method does, say `baseline: true` in the card",
            )  # fmt: skip
