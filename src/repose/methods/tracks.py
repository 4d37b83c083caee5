"""Tracks: what a method may see when it is tested. Only methods of one track are ranked against each other."""

from collections.abc import Collection
from dataclasses import dataclass

from repose.methods.settings import MethodSettings, Told


@dataclass(frozen=True)
class Track:
    """What a method of the track is given.

    Attributes:
        letters: the track's name.
        identity, pose, correspondence: what is given of each, in words.
        allowed: what a method may see when it is tested, by the names in its card (`repose.benchmark.card.Ticks`).
        hands_rest: whether the identity is handed out at rest, and the pose mesh with its body at rest.
        shuffles: whether the vertices of both bodies are put into random orders of their own.
    """

    letters: str
    identity: str
    pose: str
    correspondence: str
    allowed: frozenset[str]
    hands_rest: bool
    shuffles: bool


_PAIR = frozenset({"identity_mesh", "pose_mesh"})
_REST = frozenset({"identity_rest", "pose_mesh", "pose_rest"})
_LABELS = frozenset({"keypoints", "skeleton", "skin_weights", "part_labels"})
_TRUE = frozenset({"correspondence"})
TRACKS = {
    track.letters: track
    for track in (
        Track("P", "a mesh in any pose", "a mesh", "none", _PAIR, False, True),
        Track("PC", "a mesh in any pose", "a mesh", "true, vertex to vertex", _PAIR | _TRUE, False, False),
        Track("R", "the body at rest", "a mesh, and its body at rest", "none", _REST, True, True),
        Track(
            "RC", "the body at rest", "a mesh, and its body at rest", "true, vertex to vertex",
            _REST | _TRUE, True, False,
        ),
        Track(
            "S", "the body at rest", "many poses of one fixed body", "within that body",
            _REST | {"several_frames"}, True, True,
        ),
        Track(
            "K", "as P or R", "as P or R", "labels: keypoints, skeleton, skin weights or parts",
            _PAIR | _REST | _LABELS, False, True,
        ),
    )
}  # fmt: skip
"""In the order in which one that allows enough is offered."""


def track_of(told: Collection[str], one_source: bool) -> str | None:
    """Return the track of a method of this repository, by what it is told; None for an oracle.

    Truths of the training triples concern supervision, not the track.

    Args:
        told: `repose.methods.settings.Told`.
        one_source: whether one body shows all poses of the list; there a method that is told bodies at rest is in track
            S.
    """
    if Told.ANSWER in told:
        return None
    if Told.REST_BODIES in told:
        return "RC" if Told.REGISTRATION in told else "S" if one_source else "R"
    return "PC" if Told.REGISTRATION in told else "P"


def left_out(method: MethodSettings, other_meshes: bool, other_triangles: bool) -> str | None:
    """Return why a method of this repository cannot predict a list; None: it can.

    Args:
        method: settings of the method.
        other_meshes: whether the list has pose meshes that are not from the dataset.
        other_triangles: whether their vertices do not correspond to the dataset's, either.
    """
    track = track_of(method.told, False)
    if other_meshes and track is None:
        return "is an oracle, and is told meshes that the list does not have"
    if not other_triangles:
        return None
    if track != "P":
        return f"is in track {track}, which needs vertices that correspond; the pose meshes have others"
    many = "takes only pose meshes of as many vertices as the identity has; these have others"
    return many if method.equal_counts else None


def allowing(ticked: Collection[str]) -> str | None:
    """Return the first track that allows everything that a method sees; None: no track does."""
    return next((track.letters for track in TRACKS.values() if set(ticked) <= track.allowed), None)
