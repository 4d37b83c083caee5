"""Plain operators on triangle meshes: edges, normals, areas, volume, connected components. Arrays in, arrays out.

Shapes: vertices (V, 3) real, faces (F, 3) integer. Lengths are in the unit of the vertices (metres).
"""

from __future__ import annotations

import igl
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Float = NDArray[np.float64]
Faces = NDArray[np.integer]

_TINY = np.finfo(np.float64).tiny
_COTANGENTS = 0.01, 50.0  # those outside belong to needles, and would undo a factorisation


def directed_edges(faces: np.ndarray) -> np.ndarray:
    """Return the (3 F, 2) edges of all faces, in the direction in which each face runs along them."""
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def edge_uses(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the (E, 2) int32 undirected edges, smaller vertex first, sorted, and (E,) the number of faces at each."""
    ends = np.sort(directed_edges(faces).astype(np.int64), axis=1)
    keys, uses = np.unique(ends[:, 0] << 32 | ends[:, 1], return_counts=True)
    return np.stack([keys >> 32, keys & 0xFFFFFFFF], axis=1).astype(np.int32), uses


def unique_edges(faces: np.ndarray) -> np.ndarray:
    """Return the (E, 2) int32 undirected edges, smaller vertex first, sorted: the order of edge losses."""
    return edge_uses(faces)[0]


def edge_lengths(vertices: np.ndarray, edges: np.ndarray) -> Float:
    """The (E,) lengths of edges (E, 2)."""
    return np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1)


def bbox_centre(vertices: np.ndarray) -> np.ndarray:
    """Return the middle (3,) of the axis-aligned bounding box, by which the published systems centre meshes."""
    return (vertices.min(axis=0) + vertices.max(axis=0)) / 2


def face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return the (F, 3) normals, each as long as twice the area of its face."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a)


def face_areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return the (F,) areas."""
    return np.linalg.norm(face_normals(vertices, faces), axis=1) / 2


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return the (V, 3) unit normals, with faces weighted by area; zero where no face with an area meets."""
    around = face_normals(vertices, faces)
    columns = [np.bincount(faces.ravel(), np.repeat(around[:, k], 3), len(vertices)) for k in range(3)]
    return unit(np.stack(columns, axis=1))


def unit(rows: Float) -> Float:
    """Return the (N, 3) rows at length 1; zero rows stay zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    sound = np.isfinite(lengths) & (lengths > 0)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=sound)


def vertex_areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return the (V,) areas of the vertices: each vertex gets a third of every face around it."""
    corners = np.repeat(face_areas(vertices, faces), 3) / 3
    return np.bincount(faces.ravel(), corners, minlength=len(vertices))


def edge_stiffness(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return both ends of the edge opposite each corner (3 F,), and half the cotangent of the corner, no unit.

    An edge between two faces appears twice; the sum of both values is its weight in the Laplace-Beltrami operator.
    """
    parts = []
    for corner in range(3):
        i, j, k = (faces[:, (corner + step) % 3] for step in range(3))
        a, b = vertices[j] - vertices[i], vertices[k] - vertices[i]
        area2 = np.linalg.norm(np.cross(a, b), axis=1)
        with np.errstate(over="ignore"):  # of a face without an area
            cotangent = np.clip((a * b).sum(1) / np.maximum(area2, _TINY), *_COTANGENTS)
        parts.append((j, k, cotangent / 2))
    first, second, stiffness = (np.concatenate(part) for part in zip(*parts, strict=True))
    return first, second, stiffness


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """Return the signed volume inside a closed mesh; negative if its faces point inwards."""
    # Around the centre, so that a body far from the origin loses no digits.
    a, b, c = (vertices[faces[:, k]] - bbox_centre(vertices) for k in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def flipped_edges(faces: np.ndarray) -> int:
    """How many edges two faces run along in the same direction; those with more faces are not looked at."""
    ends = directed_edges(faces).astype(np.int64)
    low, high = ends.min(axis=1), ends.max(axis=1)
    _, place, uses = np.unique(low << 32 | high, return_inverse=True, return_counts=True)
    rising = np.bincount(place, ends[:, 0] == low)
    return int(((uses == 2) & (rising != 1)).sum())


def outward(vertices: Float, faces: Faces) -> Faces:
    """The faces (F, 3), turned where they point inwards, or another way than those beside them.

    Outwards is where the signed volume is positive: of all of them, or of each piece if its faces had to be made to
    point alike.
    """
    pieces = np.zeros(len(faces), np.int64)
    if flipped_edges(faces):
        alike, pieces = igl.bfs_orient(faces.astype(np.int64))
        faces = alike.astype(faces.dtype)
    middles = vertices[faces].mean(axis=1)
    sums = np.stack([np.bincount(pieces, x) for x in middles.T], axis=1)
    around = middles - (sums / np.bincount(pieces)[:, None])[pieces]
    volumes = np.bincount(pieces, (around * face_normals(vertices, faces)).sum(axis=1))
    return np.where((volumes < 0)[pieces, None], faces[:, ::-1], faces)


def pieces_of(edges: np.ndarray) -> np.ndarray:
    """Return the connected component of each of the (E, 2) edges, counted from 0."""
    used, index = np.unique(edges, return_inverse=True)
    start, end = index.reshape(-1, 2).T
    graph = coo_array((np.ones(len(start), bool), (start, end)), shape=(len(used), len(used)))
    return connected_components(graph, directed=False)[1][start]


def components(faces: np.ndarray) -> int:
    """Return the number of connected components of the faces; vertices that no face uses do not count."""
    return int(pieces_of(directed_edges(faces)).max(initial=-1)) + 1


def is_closed(faces: np.ndarray) -> bool:
    """Return whether every edge lies between exactly two faces that run along it in opposite directions."""
    ends = directed_edges(faces).astype(np.int64)
    forth, uses = np.unique(ends[:, 0] << 32 | ends[:, 1], return_counts=True)
    back = np.unique(ends[:, 1] << 32 | ends[:, 0])
    return bool((uses == 1).all()) and np.array_equal(forth, back) and bool((ends[:, 0] != ends[:, 1]).all())


def is_manifold(faces: np.ndarray) -> bool:
    """Return whether no edge has more than two faces, and the faces around every vertex form one fan."""
    if (edge_uses(faces)[1] > 2).any():
        return False
    _, compact = np.unique(faces, return_inverse=True)
    return bool(igl.is_vertex_manifold(compact.reshape(faces.shape).astype(np.int64)).all())


def is_closed_manifold(faces: np.ndarray) -> bool:
    """Return whether the faces bound a solid: closed, consistently oriented, and manifold."""
    return is_closed(faces) and is_manifold(faces)
