"""Surfaces: one template mesh for all animals, and its wrapping around the flesh of each."""

from __future__ import annotations

import fast_simplification
import igl
import numpy as np
from numba import njit

from repose.errors import ReposeError
from repose.mesh.operators import is_closed_manifold, vertex_normals, volume
from repose.synthetic.open_animal.anatomy import Anatomy
from repose.synthetic.surface import neighbour_mean

BLEND = 0.045  # metres over which two tubes are blended
CELL = 0.017  # metres between samples of the template's field
STEP = 1e-4  # metres along each axis, for the gradient of the field
LONGEST = 0.02  # metres of one step to the skin


def field(anatomy: Anatomy, points: np.ndarray) -> np.ndarray:
    """Roughly the signed distance (N,) of points (N, 3) to the skin, negative inside.

    Tubes are joined one after the other by a polynomial smooth minimum, which changes nothing where
    only one tube is near: legs stay free of the rings that an exponential one makes at every joint.
    """
    lines = np.concatenate([tube.points for tube in anatomy.tubes])
    radii = np.concatenate([tube.radii for tube in anatomy.tubes])
    starts = np.cumsum([0, *(len(tube.radii) for tube in anatomy.tubes)])
    # A flat tube is a round one in a space squeezed around its own middle.
    middles = np.array([tube.points[:, 0].mean() for tube in anatomy.tubes])
    squeezes = np.array([1 / tube.flat for tube in anatomy.tubes])
    tubes = np.repeat(np.arange(len(anatomy.tubes)), np.diff(starts))
    lines[:, 0] = (lines[:, 0] - middles[tubes]) * squeezes[tubes]
    return _distances(np.ascontiguousarray(points), lines, radii, starts, middles, squeezes)


@njit(cache=True, nogil=True)
def _distances(points, lines, radii, starts, middles, squeezes):
    count = len(starts) - 1
    centres, reaches = np.empty((count, 3)), np.zeros(count)
    for tube in range(count):
        first, last = starts[tube], starts[tube + 1]
        centres[tube] = lines[first + (last - first) // 2]
        for k in range(first, last):
            reach = np.sqrt(((lines[k] - centres[tube]) ** 2).sum()) + radii[k]
            reaches[tube] = max(reaches[tube], reach)
    out = np.empty(len(points))
    for n in range(len(points)):
        value = np.inf
        for tube in range(count):
            x, y, z = (points[n, 0] - middles[tube]) * squeezes[tube], points[n, 1], points[n, 2]
            dx, dy, dz = x - centres[tube, 0], y - centres[tube, 1], z - centres[tube, 2]
            if np.sqrt(dx * dx + dy * dy + dz * dz) - reaches[tube] > value + BLEND:
                continue  # too far away to count
            found = _cone_distance(x, y, z, lines, radii, starts[tube], starts[tube + 1])
            near = max(1 - abs(found - value) / BLEND, 0.0) if value < np.inf else 0.0
            value = min(value, found) - near**2 * BLEND / 4
        out[n] = value
    return out


@njit(cache=True, nogil=True)
def _cone_distance(x, y, z, lines, radii, first, last):
    """Distance of a point to the skin of one tube."""
    best = np.inf
    for k in range(first, last - 1):
        ax, ay, az = lines[k, 0], lines[k, 1], lines[k, 2]
        dx, dy, dz = lines[k + 1, 0] - ax, lines[k + 1, 1] - ay, lines[k + 1, 2] - az
        t = ((x - ax) * dx + (y - ay) * dy + (z - az) * dz) / (dx * dx + dy * dy + dz * dz)
        t = min(max(t, 0.0), 1.0)
        px, py, pz = x - ax - t * dx, y - ay - t * dy, z - az - t * dz
        best = min(best, np.sqrt(px * px + py * py + pz * pz) - (radii[k] * (1 - t) + radii[k + 1] * t))
    return best


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


def wrap(anatomy: Anatomy, vertices: np.ndarray, faces: np.ndarray, steps: int) -> np.ndarray:
    """Move vertices (V, 3) that lie near the skin onto it, and spread them evenly along it."""
    mean = neighbour_mean(faces, len(vertices))
    for _ in range(steps):
        relaxed = mean @ vertices - vertices
        normals = vertex_normals(vertices, faces)
        along = relaxed - normals * np.einsum("ij,ij->i", relaxed, normals)[:, None]
        vertices = _to_skin(anatomy, vertices + 0.5 * along)
    return vertices


def _to_skin(anatomy: Anatomy, vertices: np.ndarray) -> np.ndarray:
    """One Newton step towards the zero of the field, along its gradient."""
    value = field(anatomy, vertices)
    shifted = [field(anatomy, vertices + STEP * axis) for axis in np.eye(3)]
    gradient = (np.stack(shifted, axis=1) - value[:, None]) / STEP
    move = -value[:, None] * gradient / np.maximum((gradient**2).sum(axis=1, keepdims=True), 0.25)
    length = np.linalg.norm(move, axis=1, keepdims=True)
    return vertices + move * np.minimum(1, LONGEST / np.maximum(length, 1e-12))
