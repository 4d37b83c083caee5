"""The compiled inner loops for LANES sources at once: heat solve, unit gradient and divergence, Poisson solve.

All arrays are indexed by elimination position (see :mod:`repose.gih.factor`), blocks of right-hand sides are (V, LANES)
float64. Nothing here checks its input; :mod:`repose.gih.solver` does.
"""

import mmap

import numpy as np
from numba import njit

from repose.gih.simd import (
    LANES,
    PART,
    TILE,
    any_below,
    count_nan,
    load,
    load_part,
    load_rows,
    load_tile,
    narrow,
    positive,
    prefetch,
    repeat,
    rsqrt,
    store,
    store_part,
    store_tile,
    take,
    transpose,
)

TINY = 1e-140
"""Heat below this is about to underflow when it is squared; distances there would be noise."""

AHEAD = 8
"""How many faces before its turn the rows of a face are asked for: they may come from the last cache."""

BLOCK = 64
"""Rows and columns of a block that is symmetrised at once: two of them, 32 KiB, are less than the first cache."""


@njit(cache=True, nogil=True)
def _start_heat(sources, parent, starts, rows, values, scale, u):
    """Solve forward for unit sources, touching only the part that the elimination tree reaches."""
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
    """Compute b = div(grad u / |grad u|) in one pass over the faces.

    With c_k half the cotangent at corner k and d_k the difference of u over the opposite edge, |grad u|^2 = sum_k c_k
    d_k^2 / area, and the integrated divergence is made of the edge fluxes c_k d_k / |grad u| (Crane, Weischedel &
    Wardetzky 2013, section 3.2.1, rewritten by edges). The differences of a face sum to 0, so two of them and the
    fluxes into two of its corners suffice. The floor turns 0/0, in a face of constant heat, into 0.
    """
    b[:] = 0.0
    parts = LANES // PART
    for f in range(len(faces)):
        for corner in range(3):
            soon = faces[min(f + AHEAD, len(faces) - 1), corner]
            prefetch(u, soon)
            prefetch(b, soon)
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
    """Count how often heat underflows, and how often it is negative, in the component of its source."""
    cold, negative = 0, 0
    for i in range(len(component)):
        if any_below(load(u, i), TINY):
            for k in range(len(sources)):
                if component[i] == component[sources[k]]:
                    negative += u[i, k] < -TINY
                    cold += not abs(u[i, k]) > TINY
    return cold, negative


@njit(cache=True, nogil=True)
def _write_rows(first, source, component, h, b, out):
    """Shift each distance function of a block to zero at its source, and write them as rows from ``first`` on."""
    n, sources, several = len(source), source[first : first + LANES], component.any()
    shift = _aligned(2)
    shift[:] = 0.0
    for k in range(len(sources)):
        shift[0, k], shift[1, k] = b[sources[k], k], h[sources[k]]
    numbers = out.reshape(-1)
    in_tiles = n // TILE * TILE if len(sources) == LANES else 0
    for left in range(0, in_tiles, TILE):
        for p in range(LANES // PART):
            origin, unit = repeat(load_part(shift, p)), repeat(load_part(shift, LANES // PART + p))
            tile = narrow((load_rows(b, source, left, p) - origin) * unit)
            store_tile(numbers, (first + p * PART) * n + left, n, transpose(tile))
    for k in range(len(sources)):
        for j in range(in_tiles, n):
            out[first + k, j] = (b[source[j], k] - shift[0, k]) * shift[1, k]
        if several:
            for j in range(n):
                if component[source[j]] != component[sources[k]]:
                    out[first + k, j] = np.inf


@njit(cache=True, nogil=True)
def _aligned(n):
    """Return an (n, LANES) block at an address that is a multiple of 64 bytes, as `repose.gih.simd.access` asks."""
    memory = np.empty(n * LANES + 7)
    start = (-memory.ctypes.data % 64) // 8
    return memory[start : start + n * LANES].reshape(n, LANES)


@njit(cache=True, nogil=True)
def touch(matrix):
    """Write into every page of an empty float32 matrix, so that the system allocates the pages."""
    numbers = matrix.reshape(-1)
    for i in range(0, len(numbers), mmap.PAGESIZE // 4):
        numbers[i] = 0.0


@njit(cache=True, nogil=True)
def distances(turn, component, source, h, faces, weights, inverse_area, floor, parent, heat, down, up, out):
    """Compute rows of the unsymmetrised matrix, in blocks of LANES, until ``turn`` has no block left.

    Args:
        turn: (1,) int64, the next block, shared by all threads.
        component: (V,) int32 by position.
        source: (V,) int32, the position of each row and column of ``out``. A block consists of consecutive rows,
            because neighbours on the mesh reach the same part of the elimination tree.
        h: (V,) metres per unit of length of the operators, by position.
        faces, weights, inverse_area, floor: the intrinsic faces, in positions; see Operators.
        parent: (V,) int32 elimination tree; -1 at roots.
        heat, up: (starts, rows, values, scale), columns of the factors below the diagonal; ``down`` by rows.
        out: (V, V) float32.

    Returns:
        The numbers of (source, vertex) pairs of one component that heat did not measurably reach, and where heat is
            negative, which cannot happen if all cotan weights are positive.
    """
    n = len(parent)
    u, b = _aligned(n), _aligned(n)
    cold, negative = 0, 0
    first = take(turn) * LANES
    while first < n:
        sources = source[first : first + LANES]
        _start_heat(sources, parent, heat[0], heat[1], heat[2], heat[3], u)
        _solve_up(heat[0], heat[1], heat[2], heat[3], u)
        block_cold, block_negative = _check_heat(sources, component, u)
        cold, negative = cold + block_cold, negative + block_negative
        _divergence_of_unit_gradient(faces, weights, inverse_area, floor, u, b)
        _solve_down(down[0], down[1], down[2], down[3], b)
        _solve_up(up[0], up[1], up[2], up[3], b)
        _write_rows(first, source, component, h, b, out)
        first = take(turn) * LANES
    return cold, negative


@njit(cache=True, nogil=True)
def symmetrise(turn, factor, matrix):
    """Replace a square float32 matrix by ``factor`` times the mean with its transpose, clipped at 0.

    Works on rows of blocks until ``turn`` has none left, as in :func:`distances`. Returns the number of NaN entries.
    """
    n, nans = len(matrix), 0
    half = np.float32(0.5 * factor)
    numbers = matrix.reshape(-1)
    top = take(turn) * BLOCK
    while top < n:
        for left in range(top, n, BLOCK):
            if left + BLOCK <= n:
                for i in range(top, top + BLOCK, TILE):
                    for j in range(max(left, i), left + BLOCK, TILE):
                        here, there = i * n + j, j * n + i
                        mean = half * (load_tile(numbers, here, n) + transpose(load_tile(numbers, there, n)))
                        nans += count_nan(mean)
                        store_tile(numbers, here, n, positive(mean))
                        store_tile(numbers, there, n, transpose(positive(mean)))
            else:
                nans += _symmetrise_edge(top, left, half, matrix)
        top = take(turn) * BLOCK
    return nans


@njit(cache=True, nogil=True)
def _symmetrise_edge(top, left, half, matrix):
    """Do the same for the smaller block at the end of a row of blocks."""
    n, nans = len(matrix), 0
    for i in range(top, min(n, top + BLOCK)):
        for j in range(max(left, i), n):
            mean = half * (matrix[i, j] + matrix[j, i])
            nans += np.isnan(mean)
            mean = mean if mean > 0 else np.float32(0)
            matrix[i, j] = mean
            matrix[j, i] = mean
    return nans
