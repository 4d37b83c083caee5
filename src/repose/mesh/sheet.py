"""The surface of a body as a sheet that bends and does not stretch: what it becomes when it is drawn, or turned."""

from __future__ import annotations

import igl
import numpy as np
import scipy.sparse as sp

from repose.mesh.operators import Faces, Float, edge_stiffness, vertex_areas
from repose.mesh.poisson_equation import Factor, PoissonEquation

# Chosen on validation triples of both open datasets (docs/use.md): how strongly vertices follow, against the stiffness
# of the surface, no unit.
PULL = 30.0
ROUNDS = 10


class Sheet:
    """The surface of a body, which resists stretching and not turning, and follows a target.

    Minimises Σ w_ij ‖(x_i - x_j) - R_i (p_i - p_j)‖² + pull Σ a_i ‖x_i - y_i‖² in turns over rotations R and vertices
    x (Sorkine and Alexa, SGP 2007, equations 7 and 8): w are cotangents of the mesh p at rest, a the shares of its
    area, so that the result depends neither on the number of vertices nor on their unit. The vertices of the paper are
    fixed or free; these are drawn.

    Args:
        rest: (V, 3) the body.
        faces: (F, 3).
        pull: how strongly vertices are drawn to the target.
    """

    def __init__(self, rest: Float, faces: Faces, pull: float):
        self.rest, self.faces, count = rest, faces, len(rest)
        first, second, stiffness = edge_stiffness(rest, faces)
        i, j, w = np.r_[first, second], np.r_[second, first], np.r_[stiffness, stiffness]
        weights = sp.coo_array((w, (i, j)), shape=(count, count)).tocsr()
        weights.sum_duplicates()  # those of both faces at an edge
        areas = vertex_areas(rest, faces)
        self.force = (pull * areas / areas.sum() + 1e-9)[:, None]  # what no face uses stays where it was put
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
        x: Float,  # (V, 3) where it is
        target: Float,  # (V, 3)
        rounds: int,
    ) -> Float:  # (V, 3)
        """Where it is after some rounds of rotations and vertices."""
        for _ in range(rounds):
            stacked = self.turns(x).transpose(0, 2, 1).reshape(-1, 3)
            x = self.factor.solve(self.bent @ stacked + self.force * target)
        return x

    def turns(
        self,
        x: Float,  # (V, 3)
    ) -> Float:  # (V, 3, 3)
        """How the surface around each vertex is turned there."""
        return rotations((self.around @ x).reshape(-1, 3, 3).transpose(0, 2, 1))


def as_rigid_as_possible(
    rest: Float,  # (V, 3)
    faces: Faces,  # (F, 3)
    target: Float,  # (V, 3)
) -> Float:  # (V, 3)
    """Bend `rest` towards `target`, as rigid as possible: `Sheet`."""
    return Sheet(rest, faces, PULL).follow(target, target, ROUNDS)


def turned(rest: Float, faces: Faces, target: Float) -> Float:
    """The mesh whose faces are turned as between `rest` and `target`, and not stretched, as well as they fit together.

    Raises:
        MeshError: a face of `rest` has no area.
    """
    equation = PoissonEquation(rest, faces)
    return equation.vertices(rotations(equation.jacobians(target)))


def rotations(
    maps: Float,  # (V, 3, 3)
) -> Float:  # (V, 3, 3)
    """The rotation nearest to each map."""
    stacked = np.ascontiguousarray(maps.transpose(1, 0, 2)).reshape(-1, 3)
    return igl.fit_rotations(stacked).T.reshape(-1, 3, 3)
