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


def paint(
    path: Path,
    vertices: NDArray[np.float64],
    faces: NDArray[np.int32],
    distances: NDArray[np.float32],
    source: int,
    title: str,
) -> None:
    """Write a PNG of the body, front and back, coloured by distance; a star marks the source where it shows.

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
    norm = matplotlib.colors.BoundaryNorm(np.linspace(0, max(largest, 1e-9), BANDS + 1), 256)
    for axis, (name, sign) in zip(axes, (("front", 1.0), ("back", -1.0)), strict=True):
        turned = vertices * [sign, 1.0, sign]
        drawn = _draw(axis, turned, faces, distances, norm)
        axis.set(title=name, aspect="equal")
        axis.set_axis_off()
        if _faces_viewer(turned, faces, source):
            axis.plot(*turned[source, :2], "*", color="white", markeredgecolor="black", markersize=16)
    figure.colorbar(drawn, ax=axes, label="metres", shrink=0.8, format="%.2f")
    figure.suptitle(title)
    try:
        figure.savefig(path, dpi=110)
    except (OSError, ValueError) as error:
        raise ReposeError(f"cannot write the picture: {error}", path) from error


def _draw(axis: Any, vertices: NDArray, faces: NDArray, distances: NDArray, norm: Any) -> Any:
    """Orthographic view down z: the faces towards the viewer, far ones first, with a little shading."""
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-30)
    shown = np.flatnonzero(normal[:, 2] > 0)
    shown = shown[np.argsort(corners[shown, :, 2].mean(1))]
    value = distances[faces[shown]].mean(1)
    colours = matplotlib.colormaps["viridis"](norm(np.where(np.isfinite(value), value, 0)))
    colours[~np.isfinite(value)] = (0.7, 0.7, 0.7, 1.0)
    colours[:, :3] *= 0.55 + 0.45 * normal[shown, 2:3]
    polygons = corners[shown, :, :2]
    axis.add_collection(PolyCollection(polygons, facecolors=colours, edgecolors=colours, linewidths=0.2))
    axis.autoscale_view()
    return matplotlib.cm.ScalarMappable(norm, "viridis")


def _faces_viewer(vertices: NDArray, faces: NDArray, vertex: int) -> bool:
    around = vertices[faces[(faces == vertex).any(1)]]
    normal = np.cross(around[:, 1] - around[:, 0], around[:, 2] - around[:, 0]).sum(0)
    return bool(normal[2] > 0)
