"""Distance from one vertex, painted on the body."""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from repose.errors import ReposeError

BANDS = 24
"""Colour steps over the largest distance; their edges are geodesic circles, and an error shows as a kink."""

DARKER = 0.75
"""Every other step is that much darker, so that the circles show."""


def paint(
    path: Path,
    vertices: NDArray[np.float64],
    faces: NDArray[np.int32],
    distances: NDArray[np.float32],
    source: int,
    title: str,
) -> None:
    """Write a PNG of the body, front and back, coloured by distance.

    A star marks the source, hollow where the body hides it.

    Args:
        path: the file.
        vertices: (V, 3) metres, y up; faces: (F, 3).
        distances: (V,) from ``source``; inf is drawn grey.
        source: vertex index.
        title: printed above.

    Raises:
        ReposeError: the file cannot be written.
    """
    largest = distances[np.isfinite(distances)].max()
    figure = Figure(figsize=(9, 6.5), layout="constrained")
    axes = figure.subplots(1, 2)
    norm = matplotlib.colors.BoundaryNorm(np.linspace(0, max(largest, 1e-9), BANDS + 1), BANDS)
    colours = matplotlib.colormaps["viridis"](np.linspace(0, 1, BANDS))
    colours[1::2, :3] *= DARKER
    steps = matplotlib.colors.ListedColormap(colours)
    for axis, (name, sign) in zip(axes, (("front", 1.0), ("back", -1.0)), strict=True):
        turned = vertices * [sign, 1.0, sign]
        _draw(axis, turned, faces, distances, lambda value: steps(norm(value)))
        axis.set(title=name, aspect="equal")
        axis.set_axis_off()
        inside = "white" if _is_seen(turned, faces, source) else "none"
        axis.plot(*turned[source, :2], "*", color=inside, markeredgecolor="black", markersize=16)
    figure.colorbar(
        matplotlib.cm.ScalarMappable(norm, steps), ax=axes, label="metres", shrink=0.8, format="%.2f"
    )
    figure.suptitle(title)
    try:
        figure.savefig(path, dpi=110)
    except (OSError, ValueError) as error:
        raise ReposeError(f"cannot write the picture: {error}", path) from error


def _draw(axis: Any, vertices: NDArray, faces: NDArray, distances: NDArray, paint: Any) -> None:
    """Orthographic view down z: the faces towards the viewer, far ones first, with a little shading."""
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-30)
    shown = np.flatnonzero(normal[:, 2] > 0)
    shown = shown[np.argsort(corners[shown, :, 2].mean(1))]
    value = distances[faces[shown]].mean(1)
    colours = paint(np.where(np.isfinite(value), value, 0))
    colours[~np.isfinite(value)] = (0.7, 0.7, 0.7, 1.0)
    colours[:, :3] *= 0.55 + 0.45 * normal[shown, 2:3]
    polygons = corners[shown, :, :2]
    axis.add_collection(PolyCollection(polygons, facecolors=colours, edgecolors=colours, linewidths=0.2))
    axis.autoscale_view()


def _is_seen(vertices: NDArray, faces: NDArray, vertex: int) -> bool:
    """Whether no triangle lies between a vertex and the viewer, who looks down z."""
    a, b, c = np.moveaxis(vertices[faces[(faces != vertex).all(1)]] - vertices[vertex], 1, 0)
    weights = np.stack([_cross(b, c), _cross(c, a), _cross(a, b)], 1)
    total = weights.sum(1)
    over = (np.abs(total) > 0) & (weights * np.sign(total)[:, None] > 0).all(1)
    height = (weights * np.stack([a[:, 2], b[:, 2], c[:, 2]], 1)).sum(1)[over] / total[over]
    return not (height > 0).any()


def _cross(p: NDArray, q: NDArray) -> NDArray:
    return p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]
