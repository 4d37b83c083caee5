"""How densely the vertices of a mesh lie: a measure of its size that pose and vertex order do not change.

A body that bends keeps the distances between close vertices. So the distribution of distances to the nearest ones,
times √N, says how large the surface is, and needs neither faces nor correspondences; √N makes up for the
number of vertices where they are spread alike.
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
    """Logarithms (22,) of √V times distances to near vertices, in metres.

    First the mean distance to the nearest vertex, then for the 1st, 3rd and 6th nearest the quantiles of `SHARES` over
    the vertices.
    """
    distance = cKDTree(vertices).query(vertices, max(NEIGHBOURS) + 1)[0][:, list(NEIGHBOURS)]
    quantiles = np.quantile(distance, SHARES, axis=0).T.ravel()
    spacings = np.concatenate([[distance[:, 0].mean()], quantiles])
    return np.log(np.maximum(spacings, _LEAST) * len(vertices) ** 0.5).astype(np.float32)
