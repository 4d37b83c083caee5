"""The surface of a body as a sheet that bends and does not stretch: what it becomes when it is drawn, or turned."""

from __future__ import annotations

import igl
import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from scipy.sparse.linalg import splu

from repose.mesh.jacobians import completed, jacobians
from repose.mesh.operators import edge_stiffness, vertex_areas
from repose.mesh.poisson import Poisson

Float = NDArray[np.float64]
Faces = NDArray[np.integer]

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
        self.first, self.second, self.stiffness = edge_stiffness(rest, faces)
        edges = np.arange(len(self.first))
        where = np.r_[self.first, self.second], np.r_[edges, edges]
        shape = len(rest), len(self.first)
        self.ends = sp.csr_array((np.ones(2 * len(edges)), where), shape=shape)
        self.across = sp.csr_array((np.repeat([1.0, -1.0], len(edges)), where), shape=shape)
        areas = vertex_areas(rest, faces)
        self.force = (pull * areas / areas.sum() + 1e-9)[:, None]  # what no face uses stays where it was put
        laplacian = self.across @ sp.diags_array(self.stiffness) @ self.across.T
        self.factor = splu((laplacian + sp.diags_array(self.force[:, 0])).tocsc())
        self.before = rest[self.first] - rest[self.second]

    def follow(
        self,
        x: Float,  # (V, 3) where it is
        target: Float,  # (V, 3)
        rounds: int,
    ) -> Float:  # (V, 3)
        """Where it is after some rounds of rotations and vertices."""
        for _ in range(rounds):
            turns = self.turns(x)
            wanted = (turns[self.first] + turns[self.second]) @ self.before[:, :, None] / 2
            pulled = self.across @ (self.stiffness[:, None] * wanted[:, :, 0]) + self.force * target
            x = self.factor.solve(pulled)
        return x

    def turns(
        self,
        x: Float,  # (V, 3)
    ) -> Float:  # (V, 3, 3)
        """How the surface around each vertex is turned there."""
        moved = x[self.first] - x[self.second]
        outer = self.stiffness[:, None, None] * moved[:, :, None] * self.before[:, None, :]
        return rotations((self.ends @ outer.reshape(-1, 9)).reshape(-1, 3, 3))


def as_rigid_as_possible(
    rest: Float,  # (V, 3)
    faces: Faces,  # (F, 3)
    target: Float,  # (V, 3)
    pull: float = PULL,
    rounds: int = ROUNDS,
) -> Float:  # (V, 3)
    """Bend `rest` towards `target`, as rigid as possible: `Sheet`."""
    return Sheet(rest, faces, pull).follow(target, target, rounds)


def turned(rest: Float, faces: Faces, target: Float) -> Float:
    """The mesh whose faces are turned as between `rest` and `target`, and not stretched, as well as they fit together.

    Raises:
        MeshError: a face of `rest` has no area.
    """
    poisson = Poisson(rest, faces).to("cpu", torch.float64)
    field = jacobians(torch.from_numpy(target)[None], poisson.faces, poisson.inverses)
    turns = rotations(completed(field, poisson.tangents)[0].numpy())
    return poisson(torch.from_numpy(turns)[None])[0].numpy()


def turned_by(
    rest: Float,  # (V, 3)
    faces: Faces,  # (F, 3)
    turns: Float,  # (F, 3, 3)
) -> Float:  # (V, 3), its mean is the origin
    """The mesh whose faces are turned by given rotations, as well as they fit together.

    Raises:
        MeshError: a face of `rest` has no area.
    """
    poisson = Poisson(rest, faces).to("cpu", torch.float64)
    return poisson(torch.from_numpy(turns)[None])[0].numpy()


def rotations(
    maps: Float,  # (V, 3, 3)
) -> Float:  # (V, 3, 3)
    """The rotation nearest to each map."""
    stacked = np.ascontiguousarray(maps.transpose(1, 0, 2)).reshape(-1, 3)
    return igl.fit_rotations(stacked).T.reshape(-1, 3, 3)
