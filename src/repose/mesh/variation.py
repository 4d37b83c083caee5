"""Other triangles for the same surface, as the meshes of other people have them, and what lay where on it."""

from __future__ import annotations

from typing import NamedTuple

import fast_simplification
import igl
import numpy as np
from numpy.typing import NDArray

from repose.mesh.operators import Faces, Float, face_areas

# Shares of the surfaces that training sees, and how far they go.
_AS_IT_IS = 0.3
_FINER = 0.25
_HOLED, _HOLES = 0.25, (0.05, 0.15)  # radius over the side of the square of the same area
_ROUGH, _NOISE = 0.3, 0.003  # of that side, a vertex
_KEPT = (1 / 3, 0.9)  # of the vertices, where some go
_FLAT = 1e-9  # of the mean area: a face of less has no gradient
_LEAST = 150  # vertices; coarser ones are no body


class Places(NamedTuple):
    """Where points lie on a mesh."""

    faces: NDArray[np.int64]  # (N,)
    weights: Float  # (N, 3) barycentric
    distances: Float  # (N,) to the points that were asked for

    def carry(
        self,
        values: Float,  # (V, C)
        faces: Faces,  # (F, 3)
    ) -> Float:  # (N, C)
        """Values of the mesh's vertices at these places."""
        carried: Float = np.einsum("nk,nkc->nc", self.weights, values[faces[self.faces]])
        return carried


def nearest_places(
    points: Float,  # (N, 3)
    vertices: Float,  # (V, 3)
    faces: Faces,  # (F, 3)
) -> Places:
    """The places on a mesh that are nearest to points."""
    faces = np.ascontiguousarray(faces, np.int64)
    squared, found, nearest = igl.point_mesh_squared_distance(points, vertices, faces)
    corners = [np.ascontiguousarray(vertices[faces[found, k]]) for k in range(3)]
    weights = np.nan_to_num(igl.barycentric_coordinates(nearest, *corners), nan=1 / 3)
    weights = np.clip(weights, 0, 1)
    return Places(found, weights / weights.sum(axis=1, keepdims=True), np.sqrt(np.maximum(squared, 0)))


def decimated(vertices: Float, faces: Faces, count: int, aggressiveness: float = 5.0) -> tuple[Float, Faces]:
    """About `count` vertices (V, 3) in place of more, and their faces (F, 3); edges collapse in the order of quadrics.

    The mesh itself, if it has no more.
    """
    if len(vertices) <= count:
        return vertices, faces
    points, triangles = fast_simplification.simplify(
        np.ascontiguousarray(vertices, np.float64),
        np.ascontiguousarray(faces, np.int64),
        target_count=len(faces) * count // len(vertices),
        agg=aggressiveness,
    )
    points, triangles = points.astype(np.float64), triangles.astype(np.int64)
    areas = face_areas(points, triangles)
    # Where a mesh is quite flat, some of the new faces are needles without an area.
    return _compact(points, triangles[areas > _FLAT * areas.mean()])


def varied(vertices: Float, faces: Faces, draw: np.random.Generator) -> tuple[Float, Faces, Places]:
    """The surface with fewer or other vertices, some with a hole or rough, and where these lie on the mesh.

    Some surfaces stay as they are.
    """
    kind = draw.random()
    mesh: tuple[Float, Faces] = vertices, faces
    if kind > _AS_IT_IS:
        count = max(_LEAST, int(len(vertices) * draw.uniform(*_KEPT)))
        if kind > 1 - _FINER:  # other vertices, and about as many
            mesh = igl.upsample(vertices, np.ascontiguousarray(faces, np.int64), 1)
            count = int(len(vertices) * draw.uniform(0.75, 1.5))
        mesh = decimated(*mesh, count, draw.uniform(3, 8))
    side = np.sqrt(face_areas(vertices, faces).sum())
    if draw.random() < _HOLED:
        mesh = _holed(*mesh, int(draw.integers(len(mesh[0]))), side * draw.uniform(*_HOLES))
    places = nearest_places(mesh[0], vertices, faces)
    rough = draw.normal(size=mesh[0].shape) * (draw.uniform(0, _NOISE) * side)
    return mesh[0] + (rough if draw.random() < _ROUGH else 0), mesh[1], places


def _holed(vertices: Float, faces: Faces, centre: int, radius: float) -> tuple[Float, Faces]:
    """The mesh without the faces near a vertex; whole, if that would be most of it."""
    far = np.linalg.norm(vertices[faces].mean(axis=1) - vertices[centre], axis=1) > radius
    return _compact(vertices, faces[far]) if far.mean() > 0.5 else (vertices, faces)


def _compact(vertices: Float, faces: Faces) -> tuple[Float, Faces]:
    """The vertices that faces use, and the faces in their numbers."""
    used, index = np.unique(faces, return_inverse=True)
    return vertices[used], index.reshape(faces.shape)
