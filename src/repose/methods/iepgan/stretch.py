"""Stretch fields: how the lengths between near vertices differ between two bodies, and vertices from such a field.

An offset per vertex can satisfy any lengths by bending and wrinkling, and hardly reacts to the length of a whole limb.
A symmetric 3 × 3 matrix per vertex cannot rotate anything: it stretches the edges around the vertex, and the vertices
follow from the edges by one linear system (as in Neural Jacobian Fields, Aigerman et al. 2022, but for symmetric
matrices on a graph).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.linalg import SuperLU, splu
from scipy.spatial import cKDTree
from torch import Tensor
from torch.autograd.function import once_differentiable

from repose.methods.layers.gather import flat, gathered
from repose.methods.layers.nearest import nearest as neighbours_of

# Components of a symmetric matrix: xx, yy, zz, √2 yz, √2 xz, √2 xy, so that the vector has the norm of the matrix.
COMPONENTS = 6
_NEAREST = 8
# weight that pulls each vertex to its old place, against 1 for each edge: keeps loose pieces in place
_ANCHOR = 1e-4
_RIDGE = 0.3  # ridge, against 1 for each edge: no length determines the stretch along the normal
_OUTLIER = 0.1  # logarithm of a ratio of lengths: an edge with this residual gets half the weight
_ROUNDS = 2  # rounds of reweighted least squares
_LARGEST = 1.0  # bound on the logarithm of a ratio of lengths, as vertices may coincide
_LEAST = 1e-6  # smallest length, as a share of the body's size


def nearest(
    first: Tensor,  # (B, N, 3), in units of the size of the body
    second: Tensor,  # (B, N, 3), the same bodies' vertices in the same order, otherwise shaped and posed
) -> Tensor:
    """Return the 8 vertices nearest to each one in both meshes (B, N, 8), so that a hand on the hip is not near it.

    In meshes with fewer than nine vertices, the other vertices are repeated.
    """
    both = torch.cat([first, second], dim=2).detach()
    count = min(_NEAREST + 1, both.shape[1])
    search = by_tree if both.device.type == "cpu" else by_distances
    found = search(both, count)[..., 1:]  # the nearest is the vertex itself
    if found.shape[2] < _NEAREST:
        found = found.repeat(1, 1, math.ceil(_NEAREST / found.shape[2]))[..., :_NEAREST]
    return found


def by_tree(points: Tensor, count: int) -> Tensor:
    """Return the nearest points (B, N, count), found by a k-d tree of each mesh on the CPU."""
    return torch.from_numpy(np.stack([cKDTree(mesh).query(mesh, count)[1] for mesh in points.numpy()]))


def by_distances(points: Tensor, count: int) -> Tensor:
    """Return the same by the distances of all pairs, which on a GPU is faster than trees on the CPU."""
    exact = points.double()  # in double precision, as the tree computes
    return neighbours_of(exact, exact, count)


@torch.no_grad()
def measured_stretch(
    identity: Tensor,  # (B, N, 3), in units of the size of the body
    pose: Tensor,  # (B, N, 3), likewise
    near: Tensor,  # (B, N, K)
) -> Tensor:
    """Return the logarithmic stretch (B, N, 6) that changes the lengths around each vertex from pose to identity mesh.

    Fits log(length / length) = dᵀ M d over the directions d of the edges in the pose mesh, by least squares with Cauchy
    weights, because skin folds at bent joints and near vertices may lie across a gap.
    """
    across = edges(pose, near)
    length = torch.linalg.vector_norm(across, dim=3, keepdim=True).clamp(min=_LEAST)
    wanted = torch.linalg.vector_norm(edges(identity, near), dim=3, keepdim=True).clamp(min=_LEAST)
    ratio = (wanted / length).log().clamp(-_LARGEST, _LARGEST)
    x, y, z = (across / length).unbind(3)
    products = torch.stack([x * x, y * y, z * z, *(2**0.5 * p for p in (y * z, x * z, x * y))], dim=3)
    ridge = _RIDGE * torch.eye(COMPONENTS, dtype=products.dtype, device=products.device)
    weights = torch.ones_like(ratio)
    for _ in range(1 + _ROUNDS):
        weighted = weights * products
        # Sums, because automatic mixed precision would round matrix products.
        normal = (weighted[..., None] * products[..., None, :]).sum(dim=2) + ridge
        # The ridge keeps it from being singular; a check for that would wait for the GPU.
        fit, _ = torch.linalg.solve_ex(normal, (weighted * ratio).sum(dim=2))
        fitted = (products * fit[:, :, None]).sum(dim=3, keepdim=True)
        weights = 1 / (1 + ((ratio - fitted) / _OUTLIER).square())
    return fit


def stretched(
    vertices: Tensor,  # (B, N, 3)
    stretch: Tensor,  # (B, N, 6), added to the identity matrix
    near: Tensor,  # (B, N, K)
) -> Tensor:
    """Return vertices (B, N, 3) whose edges to `near` are nearly the old ones times the mean stretch of their ends."""
    xx, yy, zz, yz, xz, xy = stretch.to(vertices).unbind(2)
    yz, xz, xy = (c / 2**0.5 for c in (yz, xz, xy))
    matrix = torch.stack([xx, xy, xz, xy, yy, yz, xz, yz, zz], dim=2)
    mean = ((matrix[:, :, None] + gathered(matrix, near)) / 2).unflatten(3, (3, 3))
    change = (mean * edges(vertices, near)[..., None, :]).sum(dim=4)
    own = change.sum(dim=2).flatten(0, 1)
    pull = own.index_add(0, flat(near, near.shape[1]), -change.flatten(0, 2)).unflatten(0, near.shape[:2])
    return vertices + _Solve.apply(pull, near)


def edges(vertices: Tensor, near: Tensor) -> Tensor:
    """Return the vectors (B, N, K, 3) to each vertex from the vertices near it."""
    return vertices[:, :, None] - gathered(vertices, near)


class _Solve(torch.autograd.Function):
    """Applies (Σ over edges (eᵢ - eⱼ)(eᵢ - eⱼ)ᵀ + anchor)⁻¹ to (B, N, 3); the matrix is symmetric."""

    @staticmethod
    def forward(ctx: Any, pull: Tensor, near: Tensor) -> Tensor:
        ctx.factors = [factorised(graph) for graph in near.cpu().numpy()]
        return _solve(ctx.factors, pull)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return _solve(ctx.factors, grad), None


def factorised(
    near: np.ndarray,  # (N, K)
) -> SuperLU:
    """Return the sparse factorisation of one mesh's system, whose edges are those to the near vertices."""
    count, width = near.shape
    own, other = np.repeat(np.arange(count, dtype=np.int32), width), near.ravel().astype(np.int32)
    degree = width + np.bincount(other, minlength=count)
    row, column = (np.concatenate([*parts, own[::width]]) for parts in ((own, other), (other, own)))
    values = np.concatenate([np.full(2 * own.size, -1.0), degree + _ANCHOR])
    matrix = coo_array((values, (row, column)), shape=(count, count)).tocsc()
    # Narrow panels: columns have about 30 entries each.
    how = {"permc_spec": "MMD_AT_PLUS_A", "panel_size": 1, "relax": 4, "options": {"SymmetricMode": True}}
    return splu(matrix, **how)


def _solve(factors: list[SuperLU], right: Tensor) -> Tensor:
    sides = right.detach().double().cpu().numpy()
    return torch.from_numpy(np.stack([f.solve(b) for f, b in zip(factors, sides, strict=True)])).to(right)
