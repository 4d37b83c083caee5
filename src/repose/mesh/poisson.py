"""The mesh whose faces come closest to given Jacobians: a Poisson equation on the template, differentiable.

Minimising Σ_f area_f ‖J_f - ∇x_f‖² over vertices x gives L x = g, with the cotangent Laplacian L of the template and
g = Σ over corners of 2 area ∇φ J. L is singular, once per connected part of the mesh: parts are stitched to each
other by springs, vertex 0 is pinned, and the result is moved so that its mean is the origin, as Jacobians say
nothing about the place. The normal equations Lᵀ L of the released code give the same x with the square of the
condition number.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from cholespy import CholeskySolverD, MatrixType
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from torch import Tensor

from repose.errors import MeshError
from repose.mesh.jacobians import completed, inverse_edges

_SPRINGS = 16  # between a part and the nearest vertices of those it is stitched to
_BLOCK = 12  # right-hand sides solved together on a CPU: more fall out of its cache
_FLAT = 1e-12  # a face of less area, as a share of the mean, has no gradient

Float = NDArray[np.float64]
Int = NDArray[np.int64]


class Poisson:
    """Vertices from Jacobians, on one template; its matrix is factorised here, once.

    Args:
        rest: (V, 3) the template.
        faces: (F, 3).

    Raises:
        MeshError: a face has no area.
    """

    def __init__(self, rest: NDArray[np.floating], faces: NDArray[np.integer]):
        self._build(rest.astype(np.float64), faces.astype(np.int64))

    def _build(self, rest: Float, faces: Int) -> None:
        normals = np.cross(rest[faces[:, 1]] - rest[faces[:, 0]], rest[faces[:, 2]] - rest[faces[:, 0]])
        area2 = np.linalg.norm(normals, axis=1)
        if (flat := np.flatnonzero(area2 <= _FLAT * area2.mean())).size:
            raise MeshError(
                f"{flat.size} faces have no area, the first is face {flat[0]}", hint="remove them"
            )
        inverses = inverse_edges(rest, faces)
        gradients = np.concatenate([-inverses.sum(1, keepdims=True), inverses], axis=1)
        laplacian = _laplacian(gradients, area2, faces, len(rest))
        self.count = len(rest)
        self.faces = torch.from_numpy(faces)
        self.inverses = torch.from_numpy(inverses)  # (F, 2, 3)
        self.area2 = torch.from_numpy(area2)  # (F,) twice the areas
        self._divergence = _Linear(_divergence(gradients, area2, faces, len(rest)))
        self.tangents = torch.from_numpy(_tangents(inverses, normals))  # (F, 2, 3)
        entries = laplacian.tocoo()
        off = entries.row != entries.col
        self.cotangents = (  # rows and columns (2 E,), weights (2 E,): what L has beside its diagonal
            torch.from_numpy(entries.row[off].astype(np.int64)),
            torch.from_numpy(entries.col[off].astype(np.int64)),
            torch.from_numpy(-entries.data[off]),
        )
        self.springs = _Springs(rest, faces, float(laplacian.diagonal().mean()))
        self._solver = _Solver((laplacian + self.springs.laplacian(self.count)).tocsc()[1:, 1:])

    def to(self, device: torch.device | str, dtype: torch.dtype = torch.float32) -> Poisson:
        """Move it, and the type of what it takes and gives; the factor stays in float64. Returns itself."""
        for name in ("faces", "inverses", "area2", "tangents"):
            tensor = getattr(self, name)
            setattr(self, name, tensor.to(device, dtype if tensor.is_floating_point() else None))
        self._divergence.to(device, dtype)
        self.springs.to(device, dtype)
        return self

    def __call__(self, field: Tensor) -> Tensor:  # (B, F, 3, 3)
        """Vertices (B, V, 3), mean at the origin; what Jacobians say about the normal direction has no effect.

        Solved in the type of this object, also under autocast: sparse products have no half precision.
        """
        with torch.autocast(field.device.type, enabled=False):
            return self._solved(field.to(self.area2.dtype))

    def _solved(self, field: Tensor) -> Tensor:
        right = _Product.apply(field.flatten(1).T, self._divergence).unflatten(0, (-1, 3))  # (V - 1, 3, B)
        if len(self.springs.ends):
            pull = self.springs.pull(completed(field, self.tangents), self.count)
            right = right + pull[:, 1:].permute(1, 2, 0)
        found = _Solve.apply(right.flatten(1), self._solver).unflatten(1, (3, -1)).permute(2, 0, 1)
        found = torch.cat([found.new_zeros(len(found), 1, 3), found], dim=1)
        return found - found.mean(dim=1, keepdim=True)


class _Linear:
    """A sparse matrix and its transpose, both by rows, since PyTorch multiplies by columns slowly."""

    def __init__(self, matrix: sp.csr_array):
        self.forward, self.backward = _by_rows(matrix), _by_rows(matrix.T.tocsr())

    def to(self, device: torch.device | str, dtype: torch.dtype) -> None:
        """Move both."""
        self.forward, self.backward = self.forward.to(device, dtype), self.backward.to(device, dtype)


def _by_rows(matrix: sp.csr_array) -> Tensor:
    starts, columns = (torch.from_numpy(x.astype(np.int32)) for x in (matrix.indptr, matrix.indices))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(
            starts, columns, torch.from_numpy(matrix.data), matrix.shape, check_invariants=True
        )


class _Product(torch.autograd.Function):
    """A sparse matrix times columns; the transpose is kept for the gradient."""

    @staticmethod
    def forward(ctx: Any, columns: Tensor, matrix: _Linear) -> Tensor:  # (N, B)
        ctx.matrix = matrix
        return torch.mm(
            matrix.forward, columns.contiguous()
        )  # of columns that lie row by row, three times as fast

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return torch.mm(ctx.matrix.backward, grad.contiguous()), None


class _Solve(torch.autograd.Function):
    """Solve A x = b for a symmetric A: the gradient of b is the solution for the gradient of x."""

    @staticmethod
    def forward(ctx: Any, columns: Tensor, solver: _Solver) -> Tensor:  # (V - 1, K)
        ctx.solver = solver
        return solver(columns)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return _Solve.apply(grad, ctx.solver), None


class _Solver:
    """A factorised symmetric positive definite matrix: CHOLMOD by cholespy on a CPU, the inverse on a GPU."""

    def __init__(self, matrix: sp.csc_array):
        self._matrix = matrix
        entries = matrix.tocoo()
        self._factor = CholeskySolverD(
            matrix.shape[0], entries.row.astype(np.int32), entries.col.astype(np.int32),
            entries.data.astype(np.float64), MatrixType.COO,
        )  # fmt: skip
        self._inverse: Tensor | None = None

    def __call__(self, columns: Tensor) -> Tensor:  # (V - 1, K)
        if columns.device.type != "cpu":
            return self._on_device(columns)
        found = torch.empty_like(columns)
        for right, into in zip(columns.detach().split(_BLOCK, 1), found.split(_BLOCK, 1), strict=True):
            right = right.double().contiguous()
            solved = torch.empty_like(right)
            self._factor.solve(right, solved)
            into.copy_(solved)
        return found

    def _on_device(self, columns: Tensor) -> Tensor:
        if self._inverse is None or (self._inverse.device, self._inverse.dtype) != (
            columns.device,
            columns.dtype,
        ):
            dense = torch.from_numpy(self._matrix.toarray()).to(columns.device)
            # Inverted in float64 and kept as the data are: in float32 it costs 190 MB at 6,890 vertices.
            self._inverse = torch.cholesky_inverse(torch.linalg.cholesky(dense)).to(columns.dtype)
        return self._inverse @ columns


def _laplacian(gradients: Float, area2: Float, faces: Int, count: int) -> sp.csr_array:
    """The cotangent Laplacian (V, V), positive semidefinite."""
    values = np.einsum("f,fkc,flc->fkl", area2 / 2, gradients, gradients)
    rows, columns = np.repeat(faces, 3, axis=1), np.tile(faces, 3)
    return sp.coo_array((values.ravel(), (rows.ravel(), columns.ravel())), shape=(count, count)).tocsr()


def _divergence(gradients: Float, area2: Float, faces: Int, count: int) -> sp.csr_array:
    """The matrix (3 (V - 1), 9 F) from Jacobians to the right-hand side, without vertex 0."""
    values = area2[:, None, None] / 2 * gradients  # (F, 3, 3) of each corner
    rows = 3 * faces[:, :, None, None] + np.arange(3)[:, None]  # (F, corner, d, 1)
    columns = np.arange(9 * len(faces)).reshape(-1, 1, 3, 3)  # (F, 1, d, c)
    shape = (len(faces), 3, 3, 3)
    data, i, j = (np.broadcast_to(x, shape).ravel() for x in (values[:, :, None], rows, columns))
    return sp.coo_array((data, (i, j)), shape=(3 * count, 9 * len(faces))).tocsr()[3:]


def _tangents(inverses: Float, normals: Float) -> Float:
    """Two orthonormal directions (F, 2, 3) in each face whose cross product is the normal."""
    first = inverses[:, 0] / np.linalg.norm(inverses[:, 0], axis=1, keepdims=True)
    unit = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    return np.stack([first, np.cross(unit, first)], axis=1)


class _Springs:
    """What holds the connected parts of a mesh together: pairs of vertices that keep their difference at rest.

    It is turned and stretched as the faces around both vertices are on average.
    """

    def __init__(self, rest: Float, faces: Int, weight: float):
        ends = _stitches(rest, faces)
        spring, face = _faces_at(ends, faces)
        shares = 1 / np.bincount(spring, minlength=len(ends))[spring]
        self.weight = weight
        self.ends = torch.from_numpy(ends)  # (S, 2)
        self.offsets = torch.from_numpy(rest[ends[:, 1]] - rest[ends[:, 0]])  # (S, 3) at rest
        self.spring, self.face = (
            torch.from_numpy(spring),
            torch.from_numpy(face),
        )  # (P,) who averages over whom
        self.shares = torch.from_numpy(shares)  # (P,)

    def to(self, device: torch.device | str, dtype: torch.dtype) -> None:
        """Move all tensors."""
        self.ends, self.spring, self.face = (x.to(device) for x in (self.ends, self.spring, self.face))
        self.offsets, self.shares = self.offsets.to(device, dtype), self.shares.to(device, dtype)

    def laplacian(self, count: int) -> sp.csr_array:
        """What the springs add to the matrix."""
        i, j = self.ends.numpy().T
        values = np.full(len(i), self.weight)
        rows = np.concatenate([i, j, i, j])
        columns = np.concatenate([i, j, j, i])
        return sp.coo_array(
            (np.concatenate([values, values, -values, -values]), (rows, columns)), shape=(count, count)
        ).tocsr()

    def pull(self, field: Tensor, count: int) -> Tensor:  # (B, F, 3, 3) completed
        """What the springs add to the right-hand side, (B, V, 3)."""
        near = field.index_select(1, self.face) * self.shares[:, None, None]
        mean = field.new_zeros(len(field), len(self.ends), 3, 3).index_add(1, self.spring, near)
        force = self.weight * (mean @ self.offsets[:, :, None])[..., 0]
        right = field.new_zeros(len(field), count, 3)
        return right.index_add(1, self.ends[:, 1], force).index_add(1, self.ends[:, 0], -force)


def _faces_at(ends: Int, faces: Int) -> tuple[Int, Int]:
    """Every (spring, face) such that the face has an end of the spring (S, 2) as a corner."""
    order = np.argsort(faces.ravel(), kind="stable")
    vertices = faces.ravel()[order]
    low, high = (np.searchsorted(vertices, ends.ravel(), side) for side in ("left", "right"))
    counts = high - low
    places = np.repeat(low - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts) + np.arange(counts.sum())
    return np.repeat(np.arange(ends.size) // 2, counts), order[places] // 3


def _stitches(rest: Float, faces: Int) -> Int:
    """Pairs (S, 2) of vertices of different parts: for each part but the largest its closest to the others."""
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
