"""Density of the vertices of a mesh: a measure of its size that does not depend on pose or vertex order.

A body that bends keeps the distances between near vertices. So the distribution of distances to the nearest vertices,
times √N, measures the size of the surface without faces or correspondences; √N compensates for the number of vertices
if they are distributed alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

NEIGHBOURS = (1, 3, 6)
SHARES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
_LEAST = 1e-6  # metres: vertices may coincide


def log_spacings(
    vertices: np.ndarray,  # (V, 3), metres, more than six
) -> NDArray[np.float32]:
    """Return logarithms (22,) of √V times distances to near vertices, in metres.

    The first number is that of the mean distance to the nearest vertex; the others are those of the quantiles `SHARES`
    of the distances to the 1st, 3rd and 6th nearest vertex.
    """
    distance = cKDTree(vertices).query(vertices, max(NEIGHBOURS) + 1)[0][:, list(NEIGHBOURS)]
    quantiles = np.quantile(distance, SHARES, axis=0).T.ravel()
    spacings = np.concatenate([[distance[:, 0].mean()], quantiles])
    return np.log(np.maximum(spacings, _LEAST) * len(vertices) ** 0.5).astype(np.float32)
