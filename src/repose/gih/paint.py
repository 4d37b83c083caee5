"""Paint the distances from one vertex on the body."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from repose.errors import ReposeError
from repose.mesh.operators import bbox_centre, vertex_normals
from repose.mesh.render import View, common_view, render

BANDS = 24
"""Colour steps over the largest distance; their edges are geodesic circles, and an error shows as a kink."""

DARKER = 0.75
"""Every other step is that much darker, so that the circles show."""

SIZE = (640, 440)
"""Pixels of one side of the body: height and width."""


def paint(
    path: Path,
    vertices: NDArray[np.float64],
    faces: NDArray[np.int32],
    distances: NDArray[np.float32],
    source: int,
    title: str,
) -> None:
    """Write a PNG of the body, front and back, coloured by distance.

    A star marks the source, hollow where its side of the body is turned away.

    Args:
        path: the file.
        vertices: (V, 3) metres, y up; faces: (F, 3).
        distances: (V,) from ``source``; inf is drawn grey.
        source: vertex index.
        title: printed above.

    Raises:
        ReposeError: the file cannot be written.
    """
    finite = np.isfinite(distances)
    norm = matplotlib.colors.BoundaryNorm(
        np.linspace(0, max(distances[finite].max(), 1e-9), BANDS + 1), BANDS
    )
    ramp = matplotlib.colormaps["viridis"](np.linspace(0, 1, BANDS))
    ramp[1::2, :3] *= DARKER
    steps = matplotlib.colors.ListedColormap(ramp)
    colours = np.where(finite[:, None], steps(norm(np.where(finite, distances, 0)))[:, :3], 0.7)
    figure = Figure(figsize=(9, 6.5), layout="constrained")
    for axis, (name, yaw) in zip(figure.subplots(1, 2), (("front", 0.0), ("back", 180.0)), strict=True):
        view = common_view([vertices], SIZE, yaw, pitch=0.0)
        axis.imshow(render(vertices, faces, SIZE, view, colours), extent=_extent(view))
        axis.set(title=name)
        axis.set_axis_off()
        right, up, away = view.axes()
        place = vertices[source] - bbox_centre(vertices)
        inside = "white" if vertex_normals(vertices, faces)[source] @ away < 0 else "none"
        axis.plot(place @ right, place @ up, "*", color=inside, markeredgecolor="black", markersize=16)
    scale = matplotlib.cm.ScalarMappable(norm, steps)
    figure.colorbar(scale, ax=figure.axes, label="metres", shrink=0.8, format="%.2f")
    figure.suptitle(title)
    try:
        figure.savefig(path, dpi=110)
    except (OSError, ValueError) as error:
        raise ReposeError(f"cannot write the picture: {error}", path) from error


def _extent(view: View) -> tuple[float, float, float, float]:
    """Return the edges of the picture in metres from its middle: left, right, bottom, top."""
    assert view.half_height is not None
    half_width = view.half_height * SIZE[1] / SIZE[0]
    return -half_width, half_width, -view.half_height, view.half_height
