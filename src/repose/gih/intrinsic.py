"""From a triangle mesh to the two sparse operators of the heat method, by edge lengths only.

Everything after :func:`check_mesh` uses only the faces of a mesh and their edge lengths, never positions. So the heat
method can run on the *intrinsic Delaunay* triangulation of the same surface (Fisher et al. 2007, "An algorithm for the
construction of intrinsic Delaunay triangulations with applications to digital geometry processing"), where all cotan
weights are >= 0: heat then decays monotonically, and distances stay accurate on slivers and needle triangles.

Lengths follow libigl: ``lengths[f, k]`` is the edge *opposite* corner ``k`` of face ``f``.
"""

from dataclasses import dataclass
from typing import Any

import igl
import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from repose.errors import MeshError

Float = NDArray[np.float64]
Int = NDArray[np.int32]

MOLLIFY = 1e-5
"""Slack of the triangle inequality that mollification guarantees, in mean edge lengths."""


FLOOR = 1e-300
"""Turns 0/0, the unit gradient in a face of constant heat, into 0, and changes no other gradient."""


class RefusedMesh(MeshError):
    """A valid surface that the fast kernel cannot take (non-manifold or non-orientable).

    The reference backend accepts it: see :mod:`repose.gih.reference`.
    """


@dataclass(frozen=True)
class Operators:
    """The operators that the heat method needs for a surface with V vertices and F intrinsic faces.

    Attributes:
        faces: (F, 3) int32. After flips a face may name one vertex twice, which is intended.
        weights: (F, 3) float64, half the cotangent of the corner angle.
        areas: (F,) float64, square metres.
        floor: (F,) float64 in units of ``h``, added to the squared gradient of heat in a face before the gradient is
            divided by its root.
        laplacian: (V, V) csc, positive semi-definite cotan Laplacian.
        mass: (V,) float64, a third of the adjacent areas; 1 for unreferenced vertices.
        component: (V,) int32, label of the connected component of each vertex.
        h: (V,) float64, mean edge length in metres of the vertex's own component; 1 if it has no edges.
    """

    faces: Int
    weights: Float
    areas: Float
    floor: Float
    laplacian: sp.csc_array
    mass: Float
    component: Int
    h: Float


def check_mesh(vertices: ArrayLike, faces: ArrayLike, where: object = None) -> tuple[Float, Int]:
    """Return (V, 3) float64 vertices and (F, 3) int32 faces that are safe for the numeric libraries.

    Several geometry libraries segfault or hang on meshes that are refused here, so every mesh must pass this check.

    Raises:
        MeshError: wrong shapes, no faces, non-finite vertices, indices out of range, a face that names one
            vertex twice, or a mesh of no extent.
    """
    v, f = np.asarray(vertices), np.asarray(faces)
    if v.ndim != 2 or v.shape[1] != 3 or f.ndim != 2 or f.shape[1] != 3:
        raise MeshError(
            f"vertices have shape {v.shape} and faces {f.shape}, not (V, 3) and (F, 3)",
            where,
            "a mesh needs at least one triangle",
        )
    if not len(v) or not len(f):
        raise MeshError("the mesh is empty", where, "a mesh needs at least one triangle")
    if v.dtype.kind not in "fiu" or f.dtype.kind not in "iu":
        raise MeshError(f"vertices are {v.dtype} and faces {f.dtype}, not numbers and integers", where)
    v = np.ascontiguousarray(v, np.float64)
    _first("vertex {} is not finite", ~np.isfinite(v).all(1), where, "remove or repair the vertex")
    outside = ((f < 0) | (f >= len(v))).any(1)
    _first(f"face {{}} names a vertex outside 0..{len(v) - 1}", outside, where, "indices count from 0")
    f = np.ascontiguousarray(f, np.int32)
    repeated = (f[:, 0] == f[:, 1]) | (f[:, 1] == f[:, 2]) | (f[:, 2] == f[:, 0])
    _first("face {} names one vertex twice", repeated, where, "remove the face")
    if not np.ptp(v[np.bincount(f.ravel(), minlength=len(v)) > 0], axis=0).any():
        raise MeshError("all vertices lie in one point", where, "check the units of the file")
    return v, f


def _first(message: str, bad: Any, where: object, hint: str) -> None:
    if bad.any():
        more = f" (and {bad.sum() - 1} more)" if bad.sum() > 1 else ""
        raise MeshError(message.format(int(bad.argmax())) + more, where, hint)


def components(faces: Int, n_vertices: int) -> Int:
    """Label the connected components: (V,) int32. An unreferenced vertex is a component of its own."""
    i, j = faces[:, [0, 1]].ravel(), faces[:, [1, 2]].ravel()
    graph = sp.coo_array((np.ones(len(i), np.int8), (i, j)), shape=(n_vertices, n_vertices))
    return sp.csgraph.connected_components(graph, directed=False)[1].astype(np.int32)


def orient(faces: Int, where: object = None) -> Int:
    """Return the faces wound consistently.

    libigl's edge flips assume it, and silently corrupt the triangulation otherwise.

    Raises:
        RefusedMesh: an edge with more than two faces, two faces on the same three vertices, or a surface that
            has no consistent orientation (a Möbius strip).
    """
    tails, heads = _half_edges(faces).T
    edges = np.sort(_edge_keys(np.minimum(tails, heads), np.maximum(tails, heads)))
    crowded = np.unique(edges[2:][edges[2:] == edges[:-2]])
    if len(crowded):
        raise RefusedMesh(f"{len(crowded)} edges have more than two faces", where)
    corners = np.sort(faces, 1)
    corners = corners[np.lexsort(corners.T)]
    if duplicates := int((corners[1:] == corners[:-1]).all(1).sum()):
        raise RefusedMesh(f"{duplicates} faces are duplicates", where)
    if _consistent(faces):
        return faces
    wound = np.ascontiguousarray(igl.bfs_orient(faces.astype(np.int64))[0], np.int32)
    if not _consistent(wound):
        raise RefusedMesh("the surface cannot be oriented", where)
    return wound


def _half_edges(faces: Int) -> NDArray[np.int64]:
    return faces[:, [1, 2, 2, 0, 0, 1]].reshape(-1, 2).astype(np.int64)


def _edge_keys(tails: NDArray[np.int64], heads: NDArray[np.int64]) -> NDArray[np.int64]:
    return tails << 32 | heads


def _consistent(faces: Int) -> bool:
    keys = np.sort(_edge_keys(*_half_edges(faces).T))
    return not (keys[1:] == keys[:-1]).any()


def edge_lengths(vertices: Float, faces: Int) -> Float:
    """Return the lengths of the edges opposite each corner: (F, 3) float64, metres."""
    corner = vertices[faces]
    return np.linalg.norm(corner[:, [1, 2, 0]] - corner[:, [2, 0, 1]], axis=2)


def mollify(lengths: Float) -> Float:
    """Lengthen all edges equally until every triangle inequality holds with some slack.

    Intrinsic mollification of Sharp & Crane 2020 ("A Laplacian for nonmanifold triangle meshes", section
    4.5): zero-area faces and slivers become thin but valid triangles; a good mesh is returned unchanged.
    """
    excess = 2 * lengths.max(1) - lengths.sum(1)
    return lengths + max(0.0, excess.max() + MOLLIFY * lengths.mean())


def cotan(lengths: Float) -> tuple[Float, Float]:
    """Return half cotangents (F, 3) and areas (F,) from edge lengths; Kahan's formula keeps slivers accurate."""
    c, b, a = np.sort(lengths, 1).T
    areas = 0.25 * np.sqrt(np.maximum((a + (b + c)) * (c - (a - b)) * (c + (a - b)) * (a + (b - c)), 0))
    square = lengths**2
    return (square.sum(1, keepdims=True) - 2 * square) / (8 * areas[:, None]), areas


def build(vertices: Float, faces: Int, where: object = None) -> Operators:
    """Build the operators on the intrinsic Delaunay triangulation, for arrays that :func:`check_mesh` returned.

    Raises:
        RefusedMesh: the surface is not manifold or not orientable.
    """
    faces = orient(faces, where)
    lengths = mollify(edge_lengths(vertices, faces))
    flipped_lengths, flipped, *_ = igl.intrinsic_delaunay_triangulation(lengths, faces.astype(np.int64))
    weights, areas = cotan(np.ascontiguousarray(flipped_lengths))
    flipped = np.ascontiguousarray(flipped, np.int32)
    n = len(vertices)
    component = components(faces, n)
    mass = np.bincount(flipped.ravel(), np.repeat(areas / 3, 3), minlength=n)
    return Operators(
        faces=flipped,
        weights=weights,
        areas=areas,
        floor=np.full(len(flipped), FLOOR),
        laplacian=laplacian(flipped, weights, n),
        mass=np.where(mass > 0, mass, 1.0),
        component=component,
        h=_mean_edge(np.asarray(flipped_lengths), component[flipped[:, 0]], component.max() + 1)[component],
    )


def _mean_edge(lengths: Float, component: Int, n_components: int) -> Float:
    """Return the mean edge length of each component, so that one component does not change distances on another."""
    count = np.bincount(component, minlength=n_components)
    total = np.bincount(component, lengths.mean(1), minlength=n_components)
    return np.divide(total, count, out=np.ones(n_components), where=count > 0)


def laplacian(faces: Int, weights: Float, n_vertices: int) -> sp.csc_array:
    """Return the positive semi-definite cotan Laplacian, (V, V) csc; ``weights`` as in :class:`Operators`."""
    i, j = faces[:, [1, 2, 0]].ravel(), faces[:, [2, 0, 1]].ravel()
    half = sp.coo_array((weights.ravel(), (i, j)), shape=(n_vertices, n_vertices)).tocsc()
    adjacency = half + half.T
    return (sp.diags_array(adjacency.sum(1)) - adjacency).tocsc()
