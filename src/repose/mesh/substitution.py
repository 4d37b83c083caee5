"""Solve a sparse symmetric equation for many columns at once, reading each entry of the factor only once."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numba import njit
from scipy.sparse.linalg import SuperLU

from repose.mesh.operators import Float


class Substitution:
    """Solves A x = b with the factors of a symmetric A, which is Uᵀ D U in the order of elimination.

    Args:
        found: the factor, with its pivots on the diagonal.
    """

    def __init__(self, found: SuperLU):
        self.place = found.perm_c  # of each row in the order of elimination
        self.order = np.argsort(self.place)
        self.pivots: Float = found.U.diagonal()
        lower = sp.tril(found.L, -1, format="csc")  # its columns are the rows of U
        # Unsigned, because signed indices might count from the end, which costs a check at each.
        self.unit = lower.indptr.astype(np.uint32), lower.indices.astype(np.uint32), lower.data

    def __call__(
        self,
        columns: Float,  # (N, K)
    ) -> Float:  # (N, K)
        """Return the solutions."""
        x = np.take(columns, self.order, axis=0)
        _substitute(*self.unit, self.pivots, x)
        solved: Float = np.take(x, self.place, axis=0)
        return solved


@njit(cache=True, nogil=True)
def _substitute(starts, columns, values, pivots, x):
    """Solve Uᵀ D U y = x in place; U is stored by rows without its unit diagonal."""
    width = x.shape[1]
    for i in range(len(x)):
        row = x[i]
        for p in range(starts[i], starts[i + 1]):
            share, below = values[p], x[columns[p]]
            for k in range(width):
                below[k] -= share * row[k]
    for i in range(len(x) - 1, -1, -1):
        row = x[i]
        for k in range(width):
            row[k] /= pivots[i]
        for p in range(starts[i], starts[i + 1]):
            share, below = values[p], x[columns[p]]
            for k in range(width):
                row[k] -= share * below[k]
