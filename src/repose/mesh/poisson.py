"""The Poisson equation of `repose.mesh.poisson_equation` for networks: batches of Jacobians, differentiable.

The Jacobian (3 × 3) of a face describes how a pose rotates and stretches it.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from torch import Tensor

from repose.mesh.poisson_equation import Factor, PoissonEquation, Springs

Float = NDArray[np.float64]
Int = NDArray[np.int64]


class Poisson:
    """Computes vertices from Jacobians on one template, whose matrix is factorised once.

    Args:
        rest: (V, 3) the template.
        faces: (F, 3).

    Raises:
        MeshError: a face has no area.
    """

    def __init__(self, rest: NDArray[np.floating], faces: NDArray[np.integer]):
        equation = PoissonEquation(rest, faces)
        self.count = equation.count
        self.faces = torch.from_numpy(equation.faces)
        self.inverses = torch.from_numpy(equation.inverses)  # (F, 2, 3)
        self.area2 = torch.from_numpy(equation.area2)  # (F,) twice the areas
        self._divergence = _Linear(
            _divergence(equation.gradients, equation.area2, equation.faces, equation.count)
        )
        self.tangents = torch.from_numpy(equation.tangents)  # (F, 2, 3)
        entries = equation.laplacian.tocoo()
        off = entries.row != entries.col
        self.cotangents = (  # rows and columns (2 E,), weights (2 E,): the off-diagonal entries of L
            torch.from_numpy(entries.row[off].astype(np.int64)),
            torch.from_numpy(entries.col[off].astype(np.int64)),
            torch.from_numpy(-entries.data[off]),
        )
        self.springs = _Springs(equation.springs)
        self._solver = _Solver(equation.factor)

    def to(self, device: torch.device | str, dtype: torch.dtype = torch.float32) -> Poisson:
        """Move to a device and set the type of inputs and outputs; the factor stays in float64. Returns itself."""
        for name in ("faces", "inverses", "area2", "tangents"):
            tensor = getattr(self, name)
            setattr(self, name, tensor.to(device, dtype if tensor.is_floating_point() else None))
        self._divergence.to(device, dtype)
        self.springs.to(device, dtype)
        return self

    def __call__(self, field: Tensor) -> Tensor:  # (B, F, 3, 3)
        """Return vertices (B, V, 3), mean at the origin; the part of Jacobians in the normal direction has no effect.

        It is solved in the type of this object, also under autocast: sparse products have no half precision.
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
    """A sparse matrix and its transpose, both by rows, because PyTorch is slow at multiplying by columns."""

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
    """Multiplies a sparse matrix by columns; the transpose is kept for the gradient."""

    @staticmethod
    def forward(ctx: Any, columns: Tensor, matrix: _Linear) -> Tensor:  # (N, B)
        ctx.matrix = matrix
        # Three times as fast if the columns are stored row by row.
        return torch.mm(matrix.forward, _by_row(columns))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return torch.mm(ctx.matrix.backward, grad.contiguous()), None


def _by_row(columns: Tensor) -> Tensor:
    """Return the same, stored row by row: on a CPU NumPy transposes twice as fast as PyTorch."""
    if columns.device.type != "cpu":
        return columns.contiguous()
    return torch.from_numpy(np.ascontiguousarray(columns.numpy()))


class _Solve(torch.autograd.Function):
    """Solves A x = b for a symmetric A; the gradient of b is the solution for the gradient of x."""

    @staticmethod
    def forward(ctx: Any, columns: Tensor, solver: _Solver) -> Tensor:  # (V - 1, K)
        ctx.solver = solver
        return solver(columns)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return _Solve.apply(grad, ctx.solver), None


class _Solver:
    """A factorised symmetric positive definite matrix: its factor on a CPU, its inverse on a GPU."""

    def __init__(self, factor: Factor):
        self._factor = factor
        self._inverse: Tensor | None = None

    def __call__(self, columns: Tensor) -> Tensor:  # (V - 1, K)
        if columns.device.type != "cpu":
            return self._on_device(columns)
        return torch.from_numpy(self._factor.solve(columns.detach().double().numpy())).to(columns)

    def _on_device(self, columns: Tensor) -> Tensor:
        if self._inverse is None or (self._inverse.device, self._inverse.dtype) != (
            columns.device,
            columns.dtype,
        ):
            dense = torch.from_numpy(self._factor.matrix.toarray()).to(columns.device)
            # Inverted in float64 and kept in the type of the data: in float32 it takes 190 MB at 6,890 vertices.
            self._inverse = torch.cholesky_inverse(torch.linalg.cholesky(dense)).to(columns.dtype)
        return self._inverse @ columns


def _divergence(gradients: Float, area2: Float, faces: Int, count: int) -> sp.csr_array:
    """Return the matrix (3 (V - 1), 9 F) from Jacobians to the right-hand side, without vertex 0."""
    values = area2[:, None, None] / 2 * gradients  # (F, 3, 3) of each corner
    rows = 3 * faces[:, :, None, None] + np.arange(3)[:, None]  # (F, corner, d, 1)
    columns = np.arange(9 * len(faces)).reshape(-1, 1, 3, 3)  # (F, 1, d, c)
    shape = (len(faces), 3, 3, 3)
    data, i, j = (np.broadcast_to(x, shape).ravel() for x in (values[:, :, None], rows, columns))
    return sp.coo_array((data, (i, j)), shape=(3 * count, 9 * len(faces))).tocsr()[3:]


class _Springs:
    """`Springs` on a device, for batches."""

    def __init__(self, springs: Springs):
        self.weight = springs.weight
        arrays = springs.ends, springs.offsets, springs.spring, springs.face, springs.shares
        self.ends, self.offsets, self.spring, self.face, self.shares = map(torch.from_numpy, arrays)

    def to(self, device: torch.device | str, dtype: torch.dtype) -> None:
        """Move all tensors."""
        self.ends, self.spring, self.face = (x.to(device) for x in (self.ends, self.spring, self.face))
        self.offsets, self.shares = self.offsets.to(device, dtype), self.shares.to(device, dtype)

    def pull(self, field: Tensor, count: int) -> Tensor:  # (B, F, 3, 3) completed
        """Return the contribution of the springs to the right-hand side, (B, V, 3)."""
        near = field.index_select(1, self.face) * self.shares[:, None, None]
        mean = field.new_zeros(len(field), len(self.ends), 3, 3).index_add(1, self.spring, near)
        force = self.weight * (mean @ self.offsets[:, :, None])[..., 0]
        right = field.new_zeros(len(field), count, 3)
        return right.index_add(1, self.ends[:, 1], force).index_add(1, self.ends[:, 0], -force)


def jacobians(
    posed: Tensor,  # (B, V, 3)
    faces: Tensor,  # (F, 3) int64
    inverses: Tensor,  # (F, 2, 3) of the mesh at rest
) -> Tensor:
    """Return the Jacobians (B, F, 3, 3) of the map from rest to pose, J[d, c] = ∂x_d / ∂rest_c.

    Their rank is at most 2, as J n = 0 across the face. The rest pose itself gives I - n nᵀ.
    """
    corners = posed.index_select(1, faces.flatten()).unflatten(1, faces.shape)
    edges = corners[:, :, 1:] - corners[:, :, :1]
    return edges.transpose(-1, -2) @ inverses


def completed(
    field: Tensor,  # (..., 3, 3)
    tangents: Tensor,  # (..., 2, 3) orthonormal, tangents[0] × tangents[1] = normal at rest
) -> Tensor:
    """Return Jacobians that map the normal at rest to the posed normal, whatever they did in that direction."""
    t, u = tangents[..., 0, :], tangents[..., 1, :]
    there = (field @ tangents.transpose(-1, -2)).transpose(-1, -2)
    normal = torch.linalg.cross(there[..., 0, :], there[..., 1, :])
    normal = normal / torch.linalg.vector_norm(normal, dim=-1, keepdim=True).clamp_min(1e-12)
    rest_normal = torch.linalg.cross(t, u)
    return there.transpose(-1, -2) @ tangents + normal[..., :, None] * rest_normal[..., None, :]
