"""The README that lies beside the inputs of a track."""

from repose.benchmark import VERSION
from repose.benchmark.lists import List
from repose.methods.tracks import TRACKS


def readme(listing: List, track: str) -> str:
    """What was handed out, what comes back, and how."""
    given, row = TRACKS[track], listing.rows[0]
    files = ["`identity.obj`", "`pose.obj`"] + (["`pose-rest.obj`"] if given.hands_rest else [])
    order = _SHUFFLED if given.shuffles else "Vertex k of all meshes is the same place on the body."
    within = " `pose.obj` and `pose-rest.obj` share one order." if given.hands_rest and given.shuffles else ""
    return f"""\
# {VERSION}: {listing.dataset}/{listing.name}, track {track}

`inputs/<triple_id>/` has what a method may see of each of {len(listing.rows)} triples: {", ".join(files)}; metres,
y up. Identity: {given.identity}. Pose: {given.pose}. Correspondence: {given.correspondence}.
{order}{within}

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
"""


_SHUFFLED = """\
Vertices, triangles and the first corners of triangles are in random orders, which follow from the sha256 of the list
and the id of the triple (`repose.benchmark.inputs`).\
"""
