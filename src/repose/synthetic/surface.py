"""Operations on surfaces that the generators share."""

import numpy as np
from scipy.sparse import coo_array, csr_array

from repose.mesh.operators import unique_edges


def neighbour_mean(faces: np.ndarray, count: int) -> csr_array:
    """Return the (V, V) operator that replaces a value by the mean over the neighbouring vertices."""
    a, b = unique_edges(faces).T
    ones = np.ones(2 * len(a))
    adjacency = coo_array((ones, (np.r_[a, b], np.r_[b, a])), shape=(count, count)).tocsr()
    return csr_array(adjacency.multiply(1 / adjacency.sum(axis=1)[:, None]))
