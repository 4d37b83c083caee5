"""Remesh a surface at random, to imitate other people's meshes, and find where the new vertices lie on it."""

from __future__ import annotations

from typing import NamedTuple

import fast_simplification
import igl
import numpy as np
from numpy.typing import NDArray

from repose.mesh.operators import Faces, Float, face_areas

# Shares of the training surfaces that are varied in each way, and by how much.
_AS_IT_IS = 0.3
_FINER = 0.25
_HOLED, _HOLES = 0.25, (0.05, 0.15)  # radius over the side of a square with the area of the surface
_ROUGH, _NOISE = 0.3, 0.003  # standard deviation for each vertex, over that side
_KEPT = (1 / 3, 0.9)  # share of the vertices that a decimation keeps
_FLAT = 1e-9  # of the mean area; a smaller face has no gradient
_LEAST = 150  # vertices; a coarser mesh is no longer a body


class SurfacePoints(NamedTuple):
    """Points on the surface of a mesh."""

    faces: NDArray[np.int64]  # (N,)
    weights: Float  # (N, 3) barycentric
    distances: Float  # (N,) distances to the points that were searched for

    def interpolate(
        self,
        values: Float,  # (V, C)
        faces: Faces,  # (F, 3)
    ) -> Float:  # (N, C)
        """Interpolate values of the mesh's vertices at these points."""
        carried: Float = np.einsum("nk,nkc->nc", self.weights, values[faces[self.faces]])
        return carried


def closest_points(
    points: Float,  # (N, 3)
    vertices: Float,  # (V, 3)
    faces: Faces,  # (F, 3)
) -> SurfacePoints:
    """Return the points on a mesh that are closest to other points."""
    faces = np.ascontiguousarray(faces, np.int64)
    squared, found, nearest = igl.point_mesh_squared_distance(points, vertices, faces)
    corners = [np.ascontiguousarray(vertices[faces[found, k]]) for k in range(3)]
    weights = np.nan_to_num(igl.barycentric_coordinates(nearest, *corners), nan=1 / 3)
    weights = np.clip(weights, 0, 1)
    return SurfacePoints(found, weights / weights.sum(axis=1, keepdims=True), np.sqrt(np.maximum(squared, 0)))


def decimated(vertices: Float, faces: Faces, count: int, aggressiveness: float = 5.0) -> tuple[Float, Faces]:
    """Return a mesh of about `count` vertices (V, 3) and its faces (F, 3), by collapsing edges by quadrics.

    A mesh with no more vertices is returned unchanged.
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
    # On flat regions some of the new faces are needles without an area.
    return _compact(points, triangles[areas > _FLAT * areas.mean()])


def varied(vertices: Float, faces: Faces, draw: np.random.Generator) -> tuple[Float, Faces, SurfacePoints]:
    """Return the surface with fewer or other vertices, some with a hole or noise, and the vertices' places on the mesh.

    Some surfaces are returned unchanged.
    """
    kind = draw.random()
    mesh: tuple[Float, Faces] = vertices, faces
    if kind > _AS_IT_IS:
        count = max(_LEAST, int(len(vertices) * draw.uniform(*_KEPT)))
        if kind > 1 - _FINER:  # other vertices, but about as many
            mesh = igl.upsample(vertices, np.ascontiguousarray(faces, np.int64), 1)
            count = int(len(vertices) * draw.uniform(0.75, 1.5))
        mesh = decimated(*mesh, count, draw.uniform(3, 8))
    side = np.sqrt(face_areas(vertices, faces).sum())
    if draw.random() < _HOLED:
        mesh = _holed(*mesh, int(draw.integers(len(mesh[0]))), side * draw.uniform(*_HOLES))
    places = closest_points(mesh[0], vertices, faces)
    rough = draw.normal(size=mesh[0].shape) * (draw.uniform(0, _NOISE) * side)
    return mesh[0] + (rough if draw.random() < _ROUGH else 0), mesh[1], places


def _holed(vertices: Float, faces: Faces, centre: int, radius: float) -> tuple[Float, Faces]:
    """Remove the faces near a vertex; the mesh stays whole if most of it would be removed."""
    far = np.linalg.norm(vertices[faces].mean(axis=1) - vertices[centre], axis=1) > radius
    return _compact(vertices, faces[far]) if far.mean() > 0.5 else (vertices, faces)


def _compact(vertices: Float, faces: Faces) -> tuple[Float, Faces]:
    """Return the vertices that faces use, and the faces in their numbering."""
    used, index = np.unique(faces, return_inverse=True)
    return vertices[used], index.reshape(faces.shape)
