"""Deformation of a surface with some fixed vertices, as rigid as possible elsewhere (Sorkine and Alexa, SGP 2007)."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from repose.errors import MeshError
from repose.mesh.operators import Faces, Float, directed_edges
from repose.mesh.sheet import rotations

Int = NDArray[np.integer]


def deformed(
    rest: Float,  # (V, 3)
    faces: Faces,  # (F, 3)
    handles: Int,  # (H,) vertices, each once
    places: Float,  # (H, 3) their positions
    iterations: int = 50,
) -> Float:  # (V, 3)
    """Deform a mesh so that its handles are exactly at given positions, and the rest rotates with little stretch.

    The rules are those of Open3D, with which X-DualNet was trained: the weight of an edge is the mean of the cotangents
    opposite it, at least 0; all vertices start at rest, also the handles, so that all first rotations are the identity.
    Vertices that are not connected to a handle stay at rest.

    Raises:
        MeshError: there is no handle, or a handle appears twice.
    """
    count = len(rest)
    if not len(handles) or len(np.unique(handles)) < len(handles):
        raise MeshError("a deformation needs handles, each once")
    first, second, weights = edge_weights(rest, faces)
    before = rest[first] - rest[second]
    edges = np.arange(len(first))
    where = np.r_[first, second], np.r_[edges, edges]
    across = sp.csr_array((np.repeat([1.0, -1.0], len(edges)), where), shape=(count, len(edges)))
    ends = sp.csr_array((np.ones(2 * len(edges)), where), shape=(count, len(edges)))
    laplacian = (across @ sp.diags_array(weights) @ across.T).tocsr()
    free = np.setdiff1d(_joined(first, second, weights, handles, count), handles)
    if not len(free):
        return _placed(rest, handles, places)
    factor = splu(laplacian[free][:, free].tocsc())
    of_handles = laplacian[free][:, handles] @ places
    x = rest
    for _ in range(iterations):
        moved = x[first] - x[second]
        outer = weights[:, None, None] * moved[:, :, None] * before[:, None, :]
        turns = rotations((ends @ outer.reshape(-1, 9)).reshape(-1, 3, 3))
        wanted = ((turns[first] + turns[second]) @ before[:, :, None])[:, :, 0] / 2
        pulled = across @ (weights[:, None] * wanted)
        x = _placed(x, handles, places)
        x[free] = factor.solve(pulled[free] - of_handles)
    return x


def edge_weights(rest: Float, faces: Faces) -> tuple[Int, Int, Float]:
    """Return both ends of each edge (E,), and the mean of the cotangents opposite it, at least 0, (E,).

    A face of no area has no cotangents and is left out.
    """
    opposite = np.concatenate([faces[:, 2], faces[:, 0], faces[:, 1]])
    ends = np.sort(directed_edges(faces), axis=1).astype(np.int64)
    a, b = (rest[ends[:, k]] - rest[opposite] for k in range(2))
    area2 = np.linalg.norm(np.cross(a, b), axis=1)
    real = area2 > 0
    cotangents = (a * b).sum(axis=1)[real] / area2[real]
    edges, of = np.unique(ends[real], axis=0, return_inverse=True)
    mean = np.bincount(of, cotangents) / np.bincount(of)
    return edges[:, 0], edges[:, 1], np.maximum(mean, 0)


def _joined(first: Int, second: Int, weights: Float, handles: Int, count: int) -> Int:
    """Return the vertices that are connected to a handle by edges with positive weight."""
    held = weights > 0
    graph = sp.coo_array((np.ones(held.sum()), (first[held], second[held])), shape=(count, count))
    _, part = connected_components(graph, directed=False)
    return np.flatnonzero(np.isin(part, part[handles]))


def _placed(x: Float, handles: Int, places: Float) -> Float:
    x = x.copy()
    x[handles] = places
    return x
