"""Find which way a standing body faces from its feet: soles reach further forward than the ankles above them.

A network that was trained on generated bodies takes some scans of people back to front, and nothing in its output shows
the error. Feet look the same in both kinds of data, and paws and hooves are similar.
"""

from __future__ import annotations

import igl
import numpy as np
from numpy.typing import NDArray

from repose.mesh.operators import Faces, Float, vertex_areas

# Heights, as shares of a body's height.
_SOLE = 0.04
_ANKLE, _TOP = 0.06, 0.14
_LARGEST = 0.1  # share of the whole area: a larger low piece is no foot; the body sits or lies
_LEAST = 3  # vertices that a sole and an ankle must have at least
_FLAT = 1e-9  # a body lower than this, at area 1, is taken as flat
_ALIKE = 0.7  # feet agree if the mean of their vectors is at least so long, over their mean length


def ahead_by_feet(
    vertices: Float,  # (N, 3) upright
    faces: Faces,  # (F, 3)
) -> Float | None:  # (2,)
    """Return the unit vector (x, z) that a body's feet point along; None if it has no feet, or they disagree."""
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
    """Return the vector from the middle of one ankle to the middle of its sole, times the area of the foot."""
    sole, ankle = heights < _SOLE, heights > _ANKLE
    if min(sole.sum(), ankle.sum()) < _LEAST:
        return None
    middles = [np.average(places[part], axis=0, weights=areas[part]) for part in (sole, ankle)]
    return (middles[0] - middles[1]) * areas.sum()
