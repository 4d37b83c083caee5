"""The surface of a body as a sheet that bends but does not stretch, and its deformation towards a target."""

from __future__ import annotations

import igl
import numpy as np
import scipy.sparse as sp

from repose.mesh.operators import Faces, Float, edge_stiffness, vertex_areas
from repose.mesh.poisson_equation import Factor, PoissonEquation

# Chosen on validation triples of both open datasets (docs/use.md): the weight of the target against the stiffness of
# the surface, no unit.
PULL = 30.0
ROUNDS = 10

# For `rotations`: the largest number of Newton steps, and the share of λ³ below which singular values are used.
NEWTON = 30
UNSURE = 1e-3


class Sheet:
    """The surface of a body, which resists stretch but not rotation, and follows a target.

    It minimises Σ w_ij ‖(x_i - x_j) - R_i (p_i - p_j)‖² + pull Σ a_i ‖x_i - y_i‖² alternately over rotations R and
    vertices x (Sorkine and Alexa, SGP 2007, equations 7 and 8): w are cotangents of the mesh p at rest, a the shares of
    its area, so that the result depends neither on the number of vertices nor on their unit. In the paper vertices are
    fixed or free; here all are drawn to the target.

    Args:
        rest: (V, 3) the body.
        faces: (F, 3).
        pull: weight of the target.
    """

    def __init__(self, rest: Float, faces: Faces, pull: float):
        self.rest, self.faces, count = rest, faces, len(rest)
        first, second, stiffness = edge_stiffness(rest, faces)
        i, j, w = np.r_[first, second], np.r_[second, first], np.r_[stiffness, stiffness]
        weights = sp.coo_array((w, (i, j)), shape=(count, count)).tocsr()
        weights.sum_duplicates()  # the weights of both faces at an edge
        areas = vertex_areas(rest, faces)
        # vertices that no face uses stay at their target
        self.force = (pull * areas / areas.sum() + 1e-9)[:, None]
        total = weights.sum(axis=1)
        self.factor = Factor((sp.diags_array(total + self.force[:, 0]) - weights).tocsc())
        # Both sums over edges are products with matrices. Row 3 i + k of `around` makes of positions x the k-th column
        # of Σ_j w_ij (x_i - x_j) (p_i - p_j)ᵀ; row i of `bent` makes of the columns of rotations R, below each other,
        # Σ_j w_ij (R_i + R_j) (p_i - p_j) / 2.
        entries = weights.tocoo()
        steps = entries.data[:, None] * (rest[entries.row] - rest[entries.col])  # (E, 3)
        k = np.arange(3)
        near = (3 * entries.row[:, None] + k).ravel()
        own = np.stack([np.bincount(entries.row, step, count) for step in steps.T], axis=1).ravel()
        every, each = np.arange(3 * count), np.repeat(np.arange(count), 3)
        self.around = sp.csr_array(
            (np.r_[-steps.ravel(), own], (np.r_[near, every], np.r_[np.repeat(entries.col, 3), each])),
            shape=(3 * count, count),
        )
        far = (3 * entries.col[:, None] + k).ravel()
        self.bent = sp.csr_array(
            (np.r_[steps.ravel(), own] / 2, (np.r_[np.repeat(entries.row, 3), each], np.r_[far, every])),
            shape=(count, 3 * count),
        )

    def follow(
        self,
        x: Float,  # (V, 3) its present vertices
        target: Float,  # (V, 3)
        rounds: int,
    ) -> Float:  # (V, 3)
        """Return the vertices after some rounds of rotations and vertices."""
        for _ in range(rounds):
            stacked = self.turns(x).transpose(0, 2, 1).reshape(-1, 3)
            x = self.factor.solve(self.bent @ stacked + self.force * target)
        return x

    def turns(
        self,
        x: Float,  # (V, 3)
    ) -> Float:  # (V, 3, 3)
        """Return the rotation of the surface around each vertex."""
        return rotations((self.around @ x).reshape(-1, 3, 3).transpose(0, 2, 1))


def as_rigid_as_possible(
    rest: Float,  # (V, 3)
    faces: Faces,  # (F, 3)
    target: Float,  # (V, 3)
) -> Float:  # (V, 3)
    """Deform `rest` towards `target`, as rigidly as possible; see `Sheet`."""
    return Sheet(rest, faces, PULL).follow(target, target, ROUNDS)


def turned(rest: Float, faces: Faces, target: Float) -> Float:
    """Return the mesh whose faces are rotated as between `rest` and `target`, without stretch, in the best fit.

    Raises:
        MeshError: a face of `rest` has no area.
    """
    equation = PoissonEquation(rest, faces)
    return equation.vertices(rotations(equation.jacobians(target)))


def rotations(
    maps: Float,  # (V, 3, 3)
) -> Float:  # (V, 3, 3)
    """Return the rotation R nearest to each map M, which has the largest tr(RᵀM).

    That trace is the largest root λ of λ⁴ - 2‖M‖²λ² - 8 det(M) λ + 2‖MMᵀ‖² - ‖M‖⁴, the characteristic polynomial of
    Horn's matrix (Closed-form solution of absolute orientation, JOSA A 1987), and R is its gradient by M,

        R = ((λ² + ‖M‖²) M + 2λ cof M - 2 MMᵀM) / (λ³ - ‖M‖²λ - 2 det M).

    The formulas run on all maps at once, in two fifths of the time of singular value decompositions. The latter are
    used only for maps to which other rotations are nearly as close, where the denominator vanishes.
    """
    m = np.ascontiguousarray(maps.transpose(1, 2, 0))  # (3, 3, V)
    cofactors = np.cross(m[[1, 2, 0]], m[[2, 0, 1]], axis=1)
    outer = np.einsum("ikv,jkv->ijv", m, m)  # M Mᵀ
    square, twice_det = (m * m).sum((0, 1)), 2 * (m[0] * cofactors[0]).sum(0)
    twice = 2 * square
    last = 2 * (outer * outer).sum((0, 1)) - square**2
    root = np.sqrt(square + np.sqrt(12 * (cofactors**2).sum((0, 1))))  # not smaller than the largest root
    with np.errstate(invalid="ignore", divide="ignore"):  # a map of zeros
        for _ in range(NEWTON):
            power, before = root * root, root
            root = ((3 * power - twice) * power - last) / (4 * ((power - square) * root - twice_det))
            if not (np.abs(root - before) > 1e-9 * root).any():  # the error is about the square of that
                break
        slope = (root * root - square) * root - twice_det
        found = (root * root + square) * m + 2 * root * cofactors - 2 * np.einsum("ijv,jkv->ikv", outer, m)
        turns = (found / slope).transpose(2, 0, 1)
    unsure = ~(slope > UNSURE * root**3)
    if unsure.any():
        stacked = np.ascontiguousarray(maps[unsure].transpose(1, 0, 2)).reshape(-1, 3)
        turns[unsure] = igl.fit_rotations(stacked).T.reshape(-1, 3, 3)
    return turns
