"""Factorise the two operators of the heat method once, in the form that the compiled kernels need."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sla

from repose.gih.intrinsic import Float, Int, Operators, RefusedMesh

Triangle = tuple[Int, Int, Float, Float]
"""(starts, indices, values, scale): a sparse triangle without its diagonal, and one over the diagonal.

The starts are uint64, which spares the kernels a look at each index, whether it counts from the end.
"""


@dataclass(frozen=True)
class Factors:
    """Cholesky factors of M + tL and of the grounded L, and the faces, all in elimination order.

    Lengths are in units of the mean edge ``h``, so that nothing depends on the units of the file.

    Attributes:
        h: (V,) float64 metres, by position.
        position: (V,) int32, the place of each vertex in the elimination order.
        component: (V,) int32, by position.
        faces, weights, inverse_area, floor: as in :class:`Operators`, by position.
        parent: (V,) int32, the elimination tree of the heat factor.
        heat: columns of the factor of M + tL.
        down, up: rows and columns of the factor of the Laplacian.
    """

    h: Float
    position: Int
    component: Int
    faces: Int
    weights: Float
    inverse_area: Float
    floor: Float
    parent: Int
    heat: Triangle
    down: Triangle
    up: Triangle


def factorise(operators: Operators, t: float | None = None, where: object = None) -> Factors:
    """Factorise for the heat method.

    The Laplacian is singular, once per component. Adding 1 to the diagonal of one vertex of each component fixes the
    free constant and changes no difference of distances; potpourri3d adds 1e-6 to the whole diagonal instead, which
    shortens distances by about 0.05 % at 7,000 vertices.

    Args:
        operators: from :func:`repose.gih.intrinsic.build` or :func:`repose.gih.released.build`.
        t: time of the heat flow in square metres; None means h squared, the best choice (Crane et al.,
            section 3.2.4).
        where: names the mesh in errors.

    Raises:
        RefusedMesh: the factorisation needs pivoting, which only a nearly degenerate mesh should.
    """
    mass, steps = scaled(operators, t)
    grounded = np.zeros(len(mass))
    grounded[np.unique(operators.component, return_index=True)[1]] = 1.0
    matrices = (
        sp.diags_array(mass) + sp.diags_array(steps) @ operators.laplacian,
        sp.diags_array(grounded) + operators.laplacian,
    )
    # One after the other: SuperLU takes Python's lock at each allocation, so two at once take as long.
    (order, heat), (same_order, poisson) = map(_cholesky, matrices)
    if heat is None or poisson is None or not np.array_equal(order, same_order):
        raise RefusedMesh("the operators are too close to singular for the fast kernel", where)

    position = order.astype(np.int32)
    faces = position[operators.faces]
    # the sweep over faces then reads memory nearly in order
    by_position = np.argsort(faces.min(1), kind="stable")
    columns = _triangle(heat.tocsc())
    component, h = np.empty_like(operators.component), np.empty_like(operators.h)
    component[position], h[position] = operators.component, operators.h
    return Factors(
        h=h,
        position=position,
        component=component,
        faces=np.ascontiguousarray(faces[by_position]),
        weights=np.ascontiguousarray(operators.weights[by_position]),
        inverse_area=(operators.h[operators.faces[:, 0]] ** 2 / operators.areas)[by_position],
        floor=operators.floor[by_position],
        parent=_elimination_tree(columns),
        heat=columns,
        down=_triangle(poisson),
        up=_triangle(poisson.tocsc()),
    )


def scaled(operators: Operators, t: float | None) -> tuple[Float, Float]:
    """Return mass and time of the heat flow, (V,) each, in units of each component's mean edge."""
    square = operators.h**2
    return operators.mass / square, np.ones(len(square)) if t is None else t / square


def _cholesky(matrix: sp.sparray) -> tuple[Int, sp.csr_array | None]:
    """Return the elimination order and the Cholesky factor; None in its place if the factorisation needs pivoting.

    SuperLU gives the LU factors of a positive definite matrix, which are LDL' and are scaled here. Its object must not
    leave this function, because SciPy frees its memory only in the thread that made it.
    """
    lu = sla.splu(
        matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
    )
    diagonal = lu.U.diagonal()
    order = np.array(lu.perm_c)
    if not np.array_equal(lu.perm_r, order) or not (diagonal > 0).all():
        return order, None
    factor = sp.csc_array(lu.L)
    factor.data *= np.repeat(np.sqrt(diagonal), np.diff(factor.indptr))
    return order, factor.tocsr()  # this sorts each row


def _triangle(factor: sp.csc_array | sp.csr_array) -> Triangle:
    """Split a sorted lower triangle: the diagonal comes first in a column, and last in a row."""
    diagonal = factor.indptr[:-1] if factor.format == "csc" else factor.indptr[1:] - 1
    strict = np.ones(factor.nnz, bool)
    strict[diagonal] = False
    return (
        (factor.indptr - np.arange(len(factor.indptr))).astype(np.uint64),
        factor.indices[strict],
        factor.data[strict],
        1.0 / factor.data[diagonal],
    )


def _elimination_tree(columns: Triangle) -> Int:
    """Return the elimination tree: the parent of a column is the row of its first entry below the diagonal."""
    starts, rows, *_ = columns
    parent = np.full(len(starts) - 1, -1, np.int32)
    has = np.flatnonzero(np.diff(starts))
    parent[has] = rows[starts[has]]
    return parent
