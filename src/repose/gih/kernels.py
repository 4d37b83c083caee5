"""The compiled inner loops: heat solve, unit gradient and divergence, Poisson solve, LANES sources at once.

All arrays are indexed by elimination position (see :mod:`repose.gih.factor`), blocks of right-hand sides are
(V, LANES) float64. Nothing here checks its input; :mod:`repose.gih.solver` does.
"""

import numpy as np
from numba import njit

from repose.gih.simd import LANES, PART, any_below, load, load_part, rsqrt, store, store_part

TINY = 1e-140
"""Heat below this is about to underflow when it is squared; distances there would be noise."""


@njit(cache=True, nogil=True)
def _start_heat(sources, parent, starts, rows, values, scale, u):
    """Forward substitution of unit sources; only what the elimination tree reaches is touched."""
    n = len(parent)
    u[:] = 0.0
    reached = np.zeros(n, np.bool_)
    for k in range(len(sources)):
        j = sources[k]
        u[j, k] = 1.0
        while j >= 0 and not reached[j]:
            reached[j] = True
            j = parent[j]
    for j in range(n):
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
    c_k d_k / |grad u| (Crane, Weischedel & Wardetzky 2013, section 3.2.1, rewritten by edges). As the
    differences of a face sum to 0, two of them and the fluxes into two of its corners say it all.
    The floor turns 0/0, a face of constant heat, into 0.
    """
    b[:] = 0.0
    parts = LANES // PART
    for f in range(len(faces)):
        i, j, k = parts * faces[f, 0], parts * faces[f, 1], parts * faces[f, 2]
        ck = weights[f, 2]
        cik, cjk = weights[f, 0] + ck, weights[f, 1] + ck
        for p in range(parts):
            uk = load_part(u, k + p)
            di, dj = load_part(u, j + p) - uk, uk - load_part(u, i + p)
            out_of_j, into_i = cik * di + ck * dj, ck * di + cjk * dj
            w = rsqrt(floor[f] + inverse_area[f] * (di * out_of_j + dj * into_i))
            store_part(b, i + p, load_part(b, i + p) + w * into_i)
            store_part(b, j + p, load_part(b, j + p) - w * out_of_j)
            store_part(b, k + p, load_part(b, k + p) + w * (out_of_j - into_i))


@njit(cache=True, nogil=True)
def _check_heat(sources, component, u):
    """How often heat is lost to underflow, and how often negative, in the component of its source."""
    cold, negative = 0, 0
    for i in range(len(component)):
        if any_below(load(u, i), TINY):
            for k in range(len(sources)):
                if component[i] == component[sources[k]]:
                    negative += u[i, k] < -TINY
                    cold += not abs(u[i, k]) > TINY
    return cold, negative


@njit(cache=True, nogil=True)
def _write_columns(first, sources, target, component, h, b, out):
    """Shift each distance function to zero at its source, and write those of all sources side by side."""
    origin = np.array([b[sources[k], k] for k in range(len(sources))])
    unit, own = h[sources], component[sources]
    for i in range(len(component)):
        row = out[target[i], first : first + len(sources)]
        for k in range(len(row)):
            row[k] = (b[i, k] - origin[k]) * unit[k] if component[i] == own[k] else np.inf


@njit(cache=True, nogil=True)
def _aligned(n):
    """An (n, LANES) block that starts at a multiple of 64 bytes, as :func:`repose.gih.simd.access` asks."""
    memory = np.empty(n * LANES + 7)
    start = (-memory.ctypes.data % 64) // 8
    return memory[start : start + n * LANES].reshape(n, LANES)


@njit(cache=True, nogil=True)
def distances(
    first_block,
    step,
    component,
    target,
    source,
    h,
    faces,
    weights,
    inverse_area,
    floor,
    parent,
    heat,
    down,
    up,
    out,
):
    """Columns of the unsymmetrised matrix, for the blocks first_block, first_block + step, ... of LANES.

    Args:
        component, target: (V,) int32, the component, and the row and column in ``out``, of each position.
        source: (V,) int32, the position of each column of ``out``. Neighbours on the mesh reach the same part of the
            elimination tree, so a block is of columns that follow each other.
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
    u, b = _aligned(n), _aligned(n)
    cold, negative = 0, 0
    for first in range(first_block * LANES, n, step * LANES):
        sources = source[first : first + LANES]
        _start_heat(sources, parent, heat[0], heat[1], heat[2], heat[3], u)
        _solve_up(heat[0], heat[1], heat[2], heat[3], u)
        block_cold, block_negative = _check_heat(sources, component, u)
        cold, negative = cold + block_cold, negative + block_negative
        _divergence_of_unit_gradient(faces, weights, inverse_area, floor, u, b)
        _solve_down(down[0], down[1], down[2], down[3], b)
        _solve_up(up[0], up[1], up[2], up[3], b)
        _write_columns(first, sources, target, component, h, b, out)
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
