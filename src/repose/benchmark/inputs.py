"""The inputs of a triple that a track hands out, so that no method sees more than its track allows.

If nothing corresponds, the vertices of both bodies are shuffled independently, and so are their triangles and the first
corners of these: two bodies with the same list of triangles would reveal the correspondence.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from repose.benchmark.listed_meshes import ListedMeshes
from repose.benchmark.lists import List, Row
from repose.mesh.mesh import Mesh
from repose.methods.tracks import TRACKS


def order(*seed: str, count: int) -> NDArray[np.int64]:
    """Return a random order (count,) that is the same for everybody given the same words, under any version of NumPy.

    The raw numbers of a bit generator are the same under all versions; those of `numpy.random.Generator` are not.
    """
    words = hashlib.sha256("\n".join(seed).encode()).digest()
    numbers = np.random.PCG64(int.from_bytes(words, "little")).random_raw(count)
    return np.argsort(numbers, kind="stable")


def identity_order(listing: List, row: Row, track: str, count: int) -> NDArray[np.int64]:
    """Return the order (count,): vertex k of the identity's file is vertex order[k] of the dataset's mesh."""
    if not TRACKS[track].shuffles:
        return np.arange(count)
    return order(listing.sha256, row.triple_id, "identity", count=count)


def handed(listing: List, row: Row, track: str, bodies: ListedMeshes) -> dict[str, Mesh]:
    """Return the meshes that a track hands out for a triple, by file name.

    Raises:
        ReposeError: the track needs bodies at rest, which the dataset does not have.
    """
    given = TRACKS[track]
    identity = (bodies.rest if given.hands_rest else bodies.mesh)(row.identity_mesh)
    meshes = {"identity": identity, "pose": bodies.mesh(row.pose_mesh)}
    if given.hands_rest:
        meshes["pose-rest"] = bodies.rest(row.pose_mesh)
    if not given.shuffles:
        return meshes
    # The meshes of the pose mesh's body correspond to each other; in track S it is the same body in all triples.
    seeds = {"identity": row.triple_id, "pose": "all" if track == "S" else row.triple_id}
    return {
        name: _shuffled(mesh, listing.sha256, seeds[side], side)
        for name, mesh in meshes.items()
        for side in (name.removesuffix("-rest"),)
    }


def further(listing: List, bodies: ListedMeshes) -> dict[str, Mesh]:
    """Return, by name, the further poses of the one body that track S hands out, in the order of track S."""
    names = listing.further(bodies.names)
    return {name: _shuffled(bodies.mesh(name), listing.sha256, "all", "pose") for name in names}


def _shuffled(mesh: Mesh, *seed: str) -> Mesh:
    """Return the same surface with shuffled vertices, triangles, and first corners of triangles."""
    vertices = order(*seed, count=len(mesh.vertices))
    faces = np.argsort(vertices)[mesh.faces[order(*seed, "faces", count=len(mesh.faces))]]
    first = order(*seed, "corners", count=len(faces))[:, None] % 3
    return Mesh(mesh.vertices[vertices], np.take_along_axis(faces, (np.arange(3) + first) % 3, axis=1))
