"""Surfaces: one template mesh for all animals, and its wrapping around the flesh of each."""

from __future__ import annotations

import fast_simplification
import igl
import numpy as np
from numba import njit
from scipy.sparse import coo_array, csr_array

from repose.errors import ReposeError
from repose.mesh.operators import is_closed_manifold, unique_edges, vertex_normals, volume
from repose.raw.open_animal.anatomy import Anatomy, Tube

BLEND = 0.045  # metres over which two tubes flow into each other
CELL = 0.017  # metres between samples of the template's field


def field(anatomy: Anatomy, points: np.ndarray) -> np.ndarray:
    """Roughly the signed distance (N,) of points (N, 3) to the skin, negative inside.

    Tubes are joined one after the other by a polynomial smooth minimum, which changes nothing where
    only one tube is near: legs stay free of the rings that an exponential one makes at every joint.
    """
    out = np.full(len(points), np.inf)
    for tube in anatomy.tubes:
        out = _smooth_minimum(out, _tube_distance(tube, points, out + BLEND))
    return out


def _smooth_minimum(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    lower, higher = np.minimum(a, b), np.maximum(a, b)
    near = np.maximum(1 - (higher - np.where(np.isinf(lower), 0, lower)) / BLEND, 0)
    return lower - near**2 * BLEND / 4


def _tube_distance(tube: Tube, points: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Distance (N,) to the skin of one tube, or infinity where it is surely beyond the limit (N,)."""
    squeeze = np.array([1 / tube.flat, 1, 1])
    middle = np.array([tube.points[:, 0].mean(), 0, 0])
    return _cone_distance((points - middle) * squeeze, (tube.points - middle) * squeeze, tube.radii, limits)


@njit(cache=True, nogil=True)
def _cone_distance(points, line, radii, limits):
    centre = line[len(line) // 2]
    reach = 0.0
    for k in range(len(line)):
        reach = max(reach, np.sqrt(((line[k] - centre) ** 2).sum()) + radii[k])
    out = np.empty(len(points))
    for n in range(len(points)):
        x, y, z = points[n, 0], points[n, 1], points[n, 2]
        best = np.inf
        if np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2) - reach > limits[n]:
            out[n] = best
            continue
        for k in range(len(line) - 1):
            ax, ay, az = line[k, 0], line[k, 1], line[k, 2]
            dx, dy, dz = line[k + 1, 0] - ax, line[k + 1, 1] - ay, line[k + 1, 2] - az
            t = ((x - ax) * dx + (y - ay) * dy + (z - az) * dz) / (dx * dx + dy * dy + dz * dz)
            t = min(max(t, 0.0), 1.0)
            px, py, pz = x - ax - t * dx, y - ay - t * dy, z - az - t * dz
            best = min(best, np.sqrt(px * px + py * py + pz * pz) - (radii[k] * (1 - t) + radii[k + 1] * t))
        out[n] = best
    return out


def make_template(anatomy: Anatomy, vertices: int) -> tuple[np.ndarray, np.ndarray]:
    """Mesh an animal with exactly this many vertices.

    Returns:
        (V, 3) float64 and (2 V - 4, 3) int64, a closed manifold of genus 0, outward.

    Raises:
        ReposeError: no such mesh was found.
    """
    dense = _march(anatomy)
    for agression in (7, 5, 9, 3):
        points, faces = fast_simplification.simplify(
            dense[0].astype(np.float32),
            dense[1].astype(np.int32),
            target_count=2 * vertices - 4,
            agg=agression,
        )
        points, faces = points.astype(float), faces.astype(np.int64)
        if len(points) == vertices and len(faces) == 2 * vertices - 4 and is_closed_manifold(faces):
            faces = faces if volume(points, faces) > 0 else faces[:, ::-1]
            return wrap(anatomy, points, faces, steps=12), faces
    raise ReposeError(
        f"no closed mesh of {vertices} vertices was found", "open-animal: vertices", "try one more or less"
    )


def _march(anatomy: Anatomy) -> tuple[np.ndarray, np.ndarray]:
    points = np.concatenate([tube.points for tube in anatomy.tubes])
    margin = max(tube.radii.max() for tube in anatomy.tubes) + 3 * CELL
    axes = [
        np.arange(low - margin, high + margin, CELL)
        for low, high in zip(points.min(0), points.max(0), strict=True)
    ]
    # igl runs through x first
    z, y, x = np.meshgrid(*axes[::-1], indexing="ij")
    grid = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    values = field(anatomy, grid)
    vertices, faces, _ = igl.marching_cubes(values, grid, len(axes[0]), len(axes[1]), len(axes[2]), 0.0)
    return vertices, faces


def neighbour_mean(faces: np.ndarray, count: int) -> csr_array:
    """The (V, V) operator that replaces a value by the mean over the neighbouring vertices."""
    a, b = unique_edges(faces).T
    ones = np.ones(2 * len(a))
    adjacency = coo_array((ones, (np.r_[a, b], np.r_[b, a])), shape=(count, count)).tocsr()
    return csr_array(adjacency.multiply(1 / adjacency.sum(axis=1)[:, None]))


def wrap(anatomy: Anatomy, vertices: np.ndarray, faces: np.ndarray, steps: int) -> np.ndarray:
    """Move vertices (V, 3) that lie near the skin onto it, and spread them evenly along it."""
    mean = neighbour_mean(faces, len(vertices))
    for _ in range(steps):
        relaxed = mean @ vertices - vertices
        normals = vertex_normals(vertices, faces)
        along = relaxed - normals * np.einsum("ij,ij->i", relaxed, normals)[:, None]
        vertices = _to_skin(anatomy, vertices + 0.5 * along)
    return vertices


def _to_skin(anatomy: Anatomy, vertices: np.ndarray, step: float = 1e-4, longest: float = 0.02) -> np.ndarray:
    """One Newton step towards the zero of the field, along its gradient."""
    value = field(anatomy, vertices)
    shifted = [field(anatomy, vertices + step * axis) for axis in np.eye(3)]
    gradient = (np.stack(shifted, axis=1) - value[:, None]) / step
    move = -value[:, None] * gradient / np.maximum((gradient**2).sum(axis=1, keepdims=True), 0.25)
    length = np.linalg.norm(move, axis=1, keepdims=True)
    return vertices + move * np.minimum(1, longest / np.maximum(length, 1e-12))
