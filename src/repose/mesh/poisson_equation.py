"""The mesh whose faces come closest to given Jacobians: the Poisson equation on one template, in numpy.

Minimising Σ_f area_f ‖J_f - ∇x_f‖² over vertices x gives L x = g, with the cotangent Laplacian L of the template and g
= Σ over corners of 2 area ∇φ J. L is singular once per connected component of the mesh: the components are connected by
springs, vertex 0 is fixed, and the result is moved so that its mean is the origin, because Jacobians do not determine
the position. The normal equations Lᵀ L of the released code give the same x with the square of the condition number.
`repose.mesh.poisson` is the differentiable version for networks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from repose.errors import MeshError

_SPRINGS = 16  # between a component and the nearest vertices of those that it is connected to
_FEW = 3  # columns of one mesh
_FLAT = 1e-12  # share of the mean area; a smaller face has no gradient

Float = NDArray[np.float64]
Int = NDArray[np.int64]


class Factor:
    """A symmetric positive definite matrix, factorised by SuperLU.

    SuperLU solves one column after another. Many columns are solved together by a compiled substitution. Its compiler
    takes longer to load than a whole transfer may take, so few columns are solved without it.

    Args:
        matrix: sparse, (N, N), both triangles.

    Raises:
        MeshError: a pivot is 0, so the matrix is not positive definite.
    """

    def __init__(self, matrix: sp.csc_array):
        self.matrix = matrix
        # Pivots stay on the diagonal, which is safe for such a matrix; columns are short, so panels are narrow.
        how = {"panel_size": 1, "relax": 4, "diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}
        self.found = splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", **how)
        if not np.array_equal(self.found.perm_r, self.found.perm_c):
            raise MeshError("its Poisson equation has no solution", hint="are there faces without area?")

    @cached_property
    def together(self) -> Callable[[Float], Float]:
        """Return the function that solves many columns together."""
        from repose.mesh.substitution import Substitution

        return Substitution(self.found)

    def solve(
        self,
        columns: Float,  # (N, K)
    ) -> Float:  # (N, K)
        """Return the solutions for these columns as right-hand sides."""
        x = columns.astype(np.float64, copy=False)
        solved: Float = self.found.solve(x) if x.shape[1] <= _FEW else self.together(x)
        return solved


class PoissonEquation:
    """Computes vertices from Jacobians on one template, whose matrix is factorised once.

    Args:
        rest: (V, 3) the template.
        faces: (F, 3).

    Raises:
        MeshError: a face has no area.

    Attributes:
        inverses: (F, 2, 3) pseudo-inverses of the two edges that leave each face's first corner.
        gradients: (F, 3, 3) gradients of the hat functions of a face's corners.
        area2: (F,) twice the areas.
        tangents: (F, 2, 3) orthonormal, their cross product is the normal.
        laplacian: (V, V) of the faces alone.
        springs: the springs between components.
        factor: factor of the whole matrix, without vertex 0.
    """

    def __init__(self, rest: NDArray[np.floating], faces: NDArray[np.integer]):
        template: Float = rest.astype(np.float64)
        self.faces: Int = faces.astype(np.int64)
        a, b, c = (template[self.faces[:, k]] for k in range(3))
        normals = np.cross(b - a, c - a)
        self.area2: Float = np.linalg.norm(normals, axis=1)
        if (flat := np.flatnonzero(self.area2 <= _FLAT * self.area2.mean())).size:
            raise MeshError(
                f"{flat.size} faces have no area, the first is face {flat[0]}", hint="remove them"
            )
        self.count = len(template)
        self.inverses = inverse_edges(template, self.faces)
        self.gradients: Float = np.concatenate([-self.inverses.sum(1, keepdims=True), self.inverses], axis=1)
        self.tangents = _tangents(self.inverses, normals)
        self.laplacian = _laplacian(self.gradients, self.area2, self.faces, self.count)
        self.springs = Springs(template, self.faces, float(self.laplacian.diagonal().mean()))
        self.factor = Factor((self.laplacian + self.springs.laplacian(self.count)).tocsc()[1:, 1:])

    def jacobians(
        self,
        posed: Float,  # (V, 3)
    ) -> Float:  # (F, 3, 3)
        """Return the maps from the template to a pose, which map normals to normals."""
        corners = posed[self.faces]
        edges = corners[:, 1:] - corners[:, :1]
        there = (self.tangents @ self.inverses.transpose(0, 2, 1)) @ edges  # (F, 2, 3) images of the tangents
        normal = np.cross(there[:, 0], there[:, 1])
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        rest_normal = np.cross(self.tangents[:, 0], self.tangents[:, 1])
        maps: Float = there.transpose(0, 2, 1) @ self.tangents + normal[:, :, None] * rest_normal[:, None]
        return maps

    def vertices(
        self,
        field: Float,  # (F, 3, 3) maps that take normals to normals
    ) -> Float:  # (V, 3), their mean is the origin
        """Return the vertices whose faces come closest to the maps."""
        pulls = (self.area2[:, None, None] / 2 * self.gradients) @ field.transpose(0, 2, 1)  # (F, corner, 3)
        corners = self.faces.ravel()
        right = [np.bincount(corners, pulls[..., k].ravel(), self.count) for k in range(3)]
        columns = np.stack(right, axis=1) + self.springs.pull(field, self.count)
        found = np.concatenate([np.zeros((1, 3)), self.factor.solve(columns[1:])])
        centred: Float = found - found.mean(axis=0)
        return centred


def inverse_edges(
    rest: NDArray[np.floating],  # (V, 3)
    faces: NDArray[np.integer],  # (F, 3)
) -> Float:  # (F, 2, 3)
    """Return pseudo-inverses of the two edges that leave each face's first corner, as columns, in float64.

    Their rows are the gradients of the hat functions of corners 1 and 2.
    """
    a, b, c = (rest[faces[:, k]].astype(np.float64) for k in range(3))
    edges = np.stack([b - a, c - a], axis=1)
    gram = edges @ edges.transpose(0, 2, 1)
    try:
        found: Float = np.linalg.solve(gram, edges)
    except np.linalg.LinAlgError:
        # For needles, as decimation leaves them, the cross product still gives the area accurately.
        normals = np.cross(edges[:, 0], edges[:, 1])
        across = np.stack([np.cross(edges[:, 1], normals), np.cross(normals, edges[:, 0])], axis=1)
        found = across / (normals * normals).sum(axis=1)[:, None, None]
    return found


def _laplacian(gradients: Float, area2: Float, faces: Int, count: int) -> sp.csr_array:
    """Return the cotangent Laplacian (V, V), positive semidefinite."""
    values = np.einsum("f,fkc,flc->fkl", area2 / 2, gradients, gradients)
    rows, columns = np.repeat(faces, 3, axis=1), np.tile(faces, 3)
    return sp.coo_array((values.ravel(), (rows.ravel(), columns.ravel())), shape=(count, count)).tocsr()


def _tangents(inverses: Float, normals: Float) -> Float:
    """Return two orthonormal directions (F, 2, 3) in each face whose cross product is the normal."""
    first = inverses[:, 0] / np.linalg.norm(inverses[:, 0], axis=1, keepdims=True)
    unit = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    return np.stack([first, np.cross(unit, first)], axis=1)


class Springs:
    """Springs between the connected components of a mesh: pairs of vertices that keep their difference at rest.

    The difference is rotated and stretched like the faces around both vertices, on average.

    Args:
        rest: (V, 3) the mesh.
        faces: (F, 3).
        weight: stiffness of a spring.

    Attributes:
        ends: (S, 2) vertices.
        offsets: (S, 3) their differences at rest.
        spring, face: (P,) pairs of a spring and a face that it averages over.
        shares: (P,) weight of the face in the average of the spring.
    """

    def __init__(self, rest: Float, faces: Int, weight: float):
        self.weight = weight
        self.ends = _stitches(rest, faces)
        self.offsets: Float = rest[self.ends[:, 1]] - rest[self.ends[:, 0]]
        self.spring, self.face = _faces_at(self.ends, faces, len(rest))
        self.shares: Float = 1 / np.bincount(self.spring, minlength=len(self.ends))[self.spring]

    def laplacian(self, count: int) -> sp.csr_array:
        """Return the contribution of the springs to the matrix."""
        i, j = self.ends.T
        values = np.full(len(i), self.weight)
        rows = np.concatenate([i, j, i, j])
        columns = np.concatenate([i, j, j, i])
        return sp.coo_array(
            (np.concatenate([values, values, -values, -values]), (rows, columns)), shape=(count, count)
        ).tocsr()

    def pull(self, field: Float, count: int) -> Float:  # (F, 3, 3)
        """Return the contribution of the springs to the right-hand side, (V, 3)."""
        mean = np.zeros((len(self.ends), 3, 3))
        np.add.at(mean, self.spring, field[self.face] * self.shares[:, None, None])
        force = self.weight * (mean @ self.offsets[:, :, None])[..., 0]
        right = np.zeros((count, 3))
        np.add.at(right, self.ends[:, 1], force)
        np.subtract.at(right, self.ends[:, 0], force)
        return right


def _faces_at(ends: Int, faces: Int, count: int) -> tuple[Int, Int]:
    """Return every pair (spring, face) in which the face has an end of the spring (S, 2) as a corner."""
    corners = faces.ravel(), np.repeat(np.arange(len(faces)), 3)
    around = sp.coo_array((np.ones(faces.size), corners), shape=(count, len(faces))).tocsr()
    at = around[ends.ravel()].tocoo()
    return at.row.astype(np.int64) // 2, at.col.astype(np.int64)


def _stitches(rest: Float, faces: Int) -> Int:
    """Return pairs (S, 2) of vertices that join each component but the largest to its closest in the others."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    graph = sp.coo_array((np.ones(len(edges)), edges.T), shape=(len(rest), len(rest)))
    _, label = connected_components(graph, directed=False)
    largest = np.argsort(-np.bincount(label), kind="stable")
    done, pairs = np.flatnonzero(label == largest[0]), [np.empty((0, 2), np.int64)]
    waiting = list(largest[1:])
    while waiting:
        tree = cKDTree(rest[done])
        reach = {part: tree.query(rest[label == part]) for part in waiting}
        part = min(waiting, key=lambda p: reach[p][0].min())
        distances, places = reach[part]
        own = np.flatnonzero(label == part)
        closest = np.argsort(distances, kind="stable")[:_SPRINGS]
        pairs.append(np.stack([done[places[closest]], own[closest]], axis=1))
        done = np.concatenate([done, own])
        waiting.remove(part)
    return np.concatenate(pairs)
