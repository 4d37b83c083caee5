"""The compiled inner loops: heat solve, unit gradient and divergence, Poisson solve, LANES sources at once.

All arrays are indexed by elimination position (see :mod:`repose.gih.factor`), blocks of right-hand sides are
(V, LANES) float64. Nothing here checks its input; :mod:`repose.gih.solver` does.
"""

import numpy as np
from numba import njit

from repose.gih.simd import LANES, any_below, fill, load, rsqrt, store

TINY = 1e-140
"""Heat below this is about to underflow when it is squared; distances there would be noise."""


@njit(cache=True, nogil=True)
def _start_heat(first, count, parent, starts, rows, values, scale, u):
    """Forward substitution of unit sources; only what the elimination tree reaches is touched."""
    n = len(parent)
    u[:] = 0.0
    reached = np.zeros(n, np.bool_)
    for k in range(count):
        u[first + k, k] = 1.0
        j = first + k
        while j >= 0 and not reached[j]:
            reached[j] = True
            j = parent[j]
    for j in range(first, n):
        if reached[j]:
            row = scale[j] * load(u, j)
            store(u, j, row)
            for p in range(starts[j], starts[j + 1]):
                store(u, rows[p], load(u, rows[p]) - values[p] * row)


@njit(cache=True, nogil=True)
def _solve_down(starts, columns, values, scale, x):
    for i in range(len(scale)):
        row = load(x, i)
        for p in range(starts[i], starts[i + 1]):
            row = row - values[p] * load(x, columns[p])
        store(x, i, scale[i] * row)


@njit(cache=True, nogil=True)
def _solve_up(starts, rows, values, scale, x):
    for j in range(len(scale) - 1, -1, -1):
        row = load(x, j)
        for p in range(starts[j], starts[j + 1]):
            row = row - values[p] * load(x, rows[p])
        store(x, j, scale[j] * row)


@njit(cache=True, nogil=True)
def _divergence_of_unit_gradient(faces, weights, inverse_area, floor, u, b):
    """b = div(grad u / |grad u|), one pass over the faces.

    With c_k half the cotangent at corner k and d_k the difference of u over the opposite edge,
    |grad u|^2 = sum_k c_k d_k^2 / area, and the integrated divergence is made of the edge fluxes
    c_k d_k / |grad u| (Crane, Weischedel & Wardetzky 2013, section 3.2.1, rewritten by edges).
    The floor turns 0/0, a face of constant heat, into 0.
    """
    b[:] = 0.0
    for f in range(len(faces)):
        i, j, k = faces[f]
        ui, uj, uk = load(u, i), load(u, j), load(u, k)
        di, dj, dk = uj - uk, uk - ui, ui - uj
        ei, ej, ek = weights[f, 0] * di, weights[f, 1] * dj, weights[f, 2] * dk
        w = rsqrt(inverse_area[f] * (ei * di + ej * dj + ek * dk) + fill(floor[f]))
        ei, ej, ek = ei * w, ej * w, ek * w
        store(b, i, load(b, i) + (ej - ek))
        store(b, j, load(b, j) + (ek - ei))
        store(b, k, load(b, k) + (ei - ej))


@njit(cache=True, nogil=True)
def _check_heat(first, count, component, u):
    """How often heat is lost to underflow, and how often negative, in the component of its source."""
    cold, negative = 0, 0
    for i in range(len(component)):
        if any_below(load(u, i), TINY):
            for k in range(count):
                if component[i] == component[first + k]:
                    negative += u[i, k] < -TINY
                    cold += not abs(u[i, k]) > TINY
    return cold, negative


@njit(cache=True, nogil=True)
def _write_rows(first, count, component, target, h, b, out):
    """Shift each distance function to zero at its source and scatter it into its row of ``out``.

    Eight sources at a time are one cache line of ``b``, and eight rows of ``out`` fit the cache.
    """
    for start in range(0, count, 8):
        for i in range(len(component)):
            column = target[i]
            for k in range(start, min(count, start + 8)):
                j = first + k
                out[target[j], column] = (
                    (b[i, k] - b[j, k]) * h[j] if component[i] == component[j] else np.inf
                )


@njit(cache=True, nogil=True)
def distances(
    first_block, step, component, target, h, faces, weights, inverse_area, floor, parent, heat, down, up, out
):
    """Rows ``target[j]`` of the unsymmetrised matrix, for the blocks first_block, first_block + step, ...

    Args:
        component, target: (V,) int32, the component, and the row and column in ``out``, of each position.
        h: (V,) metres per unit of length of the operators, by position.
        faces, weights, inverse_area, floor: the intrinsic faces, in positions; see Operators.
        parent: (V,) int32 elimination tree; -1 at roots.
        heat, up: (starts, rows, values, scale), columns of the factors below the diagonal; ``down`` by rows.
        out: (V, V) float32.

    Returns:
        Numbers of (source, vertex) pairs of one component that heat did not measurably reach, and where it is
        negative, which it never is when all cotan weights are positive.
    """
    n = len(parent)
    u, b = np.empty((n, LANES)), np.empty((n, LANES))
    cold, negative = 0, 0
    for block in range(first_block, (n + LANES - 1) // LANES, step):
        first = block * LANES
        count = min(LANES, n - first)
        _start_heat(first, count, parent, heat[0], heat[1], heat[2], heat[3], u)
        _solve_up(heat[0], heat[1], heat[2], heat[3], u)
        block_cold, block_negative = _check_heat(first, count, component, u)
        cold, negative = cold + block_cold, negative + block_negative
        _divergence_of_unit_gradient(faces, weights, inverse_area, floor, u, b)
        _solve_down(down[0], down[1], down[2], down[3], b)
        _solve_up(up[0], up[1], up[2], up[3], b)
        _write_rows(first, count, component, target, h, b, out)
    return cold, negative


@njit(cache=True, nogil=True)
def symmetrise(first_tile, step, factor, matrix):
    """Replace a square float32 matrix by ``factor`` times the mean with its transpose, clipped at 0.

    Works on the tile rows first_tile, first_tile + step, ...; returns how many entries are NaN.
    """
    n, tile, nans = len(matrix), 64, 0
    half = np.float32(0.5 * factor)
    for top in range(first_tile * tile, n, step * tile):
        for left in range(top, n, tile):
            for i in range(top, min(n, top + tile)):
                for j in range(max(left, i), min(n, left + tile)):
                    mean = half * (matrix[i, j] + matrix[j, i])
                    nans += np.isnan(mean)
                    mean = mean if mean > 0 else np.float32(0)
                    matrix[i, j] = mean
                    matrix[j, i] = mean
    return nans
