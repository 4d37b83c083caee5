"""Which way a standing body faces, by its feet: soles reach further ahead than the ankles above them.

A network that has learned from generated bodies takes some scans of people back to front, and nothing that it says
tells. Feet are the same on all of them, and paws and hooves are like them.
"""

from __future__ import annotations

import igl
import numpy as np
from numpy.typing import NDArray

from repose.mesh.operators import Faces, Float, vertex_areas

# Shares of a body's height.
_SOLE = 0.04
_ANKLE, _TOP = 0.06, 0.14
_LARGEST = 0.1  # of the area: a low piece of more is no foot, but a body that sits or lies
_LEAST = 3  # vertices that a sole and an ankle have
_FLAT = 1e-9  # of the side of a surface of area 1: no height
_ALIKE = 0.7  # length of the mean of what several feet say, over the mean of their lengths


def ahead_by_feet(
    vertices: Float,  # (N, 3) upright
    faces: Faces,  # (F, 3)
) -> Float | None:  # (2,)
    """The direction (x, z) of unit length that a body's feet point in; None if there are none, or they disagree."""
    areas, tall = vertex_areas(vertices, faces), np.ptp(vertices[:, 1])
    heights = (vertices[:, 1] - vertices[:, 1].min()) / max(tall, _FLAT)
    low = faces[(heights[faces] < _TOP).all(axis=1)]
    if not len(low):
        return None
    pieces = igl.facet_components(low)[1]
    feet = [np.unique(low[pieces == piece]) for piece in range(pieces.max() + 1)]
    steps = [
        _step(vertices[foot][:, ::2], heights[foot], areas[foot])
        for foot in feet
        if areas[foot].sum() < _LARGEST * areas.sum()
    ]
    found = np.array([step for step in steps if step is not None])
    lengths = np.linalg.norm(found, axis=-1).sum()
    ahead: Float = found.sum(axis=0)
    return ahead / np.linalg.norm(ahead) if np.linalg.norm(ahead) > _ALIKE * lengths > 0 else None


def _step(
    places: Float,  # (K, 2) from above
    heights: Float,  # (K,)
    areas: Float,  # (K,)
) -> NDArray[np.float64] | None:  # (2,)
    """From the middle of one ankle to that of its sole, times the area."""
    sole, ankle = heights < _SOLE, heights > _ANKLE
    if min(sole.sum(), ankle.sum()) < _LEAST:
        return None
    middles = [np.average(places[part], axis=0, weights=areas[part]) for part in (sole, ankle)]
    return (middles[0] - middles[1]) * areas.sum()
