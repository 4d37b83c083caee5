"""Geodesics in heat on patches: batched and differentiable in the vertices.

The heat method of `repose.gih.solver` on small open meshes, in float64, for losses. It works on the triangles as they
are: no intrinsic Delaunay flips, which have no gradient. In the released convention it is what the published code
computes, its two constants included (see `repose.gih.released`). On a GPU it is products of dense matrices, on a CPU
`repose.gih.regional_kernels`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from repose.gih import regional_kernels
from repose.gih.convention import AREA_EPSILON, GRADIENT_EPSILON, METRES, Settings

_MOLLIFY = 1e-3  # slack of the triangle inequality, in mean edge lengths
# So little that it only keeps a flat face, of which the published code makes NaN, finite.
_MOLLIFY_RELEASED = 1e-9
_TINY = 1e-200  # added to squared gradients of heat, which decay like exp(-2 d / √t), and to squared lengths


class Operators(NamedTuple):
    """What the heat method needs of K patches; 0 at padding."""

    weights: Tensor  # (K, F, 3) half cotangents
    heat_weights: Tensor  # (K, F, 3) the same times the time of the heat flow
    mass: Tensor  # (K, P)
    flow_weights: Tensor  # (K, F, 3) half cotangents, for the gradients of heat and their divergence
    inverse_area: Tensor  # (K, F) of the faces, for the same
    floor: Tensor  # (K, F) added to squared gradients


def patch_distances(
    vertices: Tensor,  # (K, P, 3), metres
    faces: Tensor,  # (K, F, 3), int64 places in the patch
    is_vertex: Tensor,  # (K, P), bool, padding last
    is_face: Tensor,  # (K, F), bool, padding last
    settings: Settings = METRES,
) -> Tensor:
    """Distances (K, P, P) between all vertices of each patch, along the patch, in the unit of the settings.

    Padded vertices get meaningless finite values, which the caller masks. With a gradient each patch keeps some
    matrices, on a GPU tens of them, so several are better differentiated one after another.

    Args:
        vertices: of K patches, padded.
        faces, is_vertex, is_face: see `repose.mesh.patches.PaddedPatches`; every true vertex is in a true face.
        settings: time of the heat flow and unit of the result. Without a time it is the squared mean edge length of
            each patch, so that distances scale exactly as the patch does.
    """
    operators = _operators(vertices.double(), faces, is_face, settings)
    along = sparse_distances if vertices.device.type == "cpu" else dense_distances
    found = [
        along(*(x[k : k + 1] for x in (faces, is_vertex, is_face)), Operators(*(x[k : k + 1] for x in operators)))
        for k in range(len(faces))
    ]
    return (settings.factor * torch.cat(found)).to(vertices.dtype)


def sparse_distances(
    faces: Tensor,  # (1, F, 3)
    is_vertex: Tensor,  # (1, P)
    is_face: Tensor,  # (1, F)
    operators: Operators,
) -> Tensor:
    """Distances (1, P, P) by compiled kernels."""
    count, some = int(is_vertex.sum()), int(is_face.sum())
    sizes = (some, some, count, some, some, some)
    real = (x[0, :size] for x, size in zip(operators, sizes, strict=True))
    padding = len(is_vertex[0]) - count
    return F.pad(_Sparse.apply(faces[0, :some], *real), (0, padding, 0, padding))[None]


class _Sparse(torch.autograd.Function):
    """Distances (P, P) of a patch, without padding; NaN where a matrix is not positive definite."""

    @staticmethod
    def forward(ctx: Any, faces: Tensor, *operators: Tensor) -> Tensor:
        weights, heat_weights, mass, *flow = (x.detach().numpy() for x in operators)
        ctx.pattern = regional_kernels.pattern_of(faces.numpy().tobytes(), len(mass))
        ctx.flow = flow
        position = ctx.pattern.position
        by_position = np.empty_like(mass), np.zeros_like(mass)
        by_position[0][position], by_position[1][position[0]] = mass, 1
        found, ctx.made = regional_kernels.distances(ctx.pattern, weights, heat_weights, *by_position, *flow)
        return torch.from_numpy(found)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        sums, edges, corners = map(
            torch.from_numpy,
            regional_kernels.through(ctx.pattern, *ctx.flow, ctx.made, grad.contiguous().numpy()),
        )
        mass = corners[torch.from_numpy(ctx.pattern.position)]
        return None, sums[:, :3], edges, mass, sums[:, 3:6], sums[:, 6], sums[:, 7]


def dense_distances(
    faces: Tensor,  # (K, F, 3)
    is_vertex: Tensor,  # (K, P)
    is_face: Tensor,  # (K, F)
    operators: Operators,
) -> Tensor:
    """Distances (K, P, P) by products of matrices, which a GPU has soon."""
    padding = (~is_vertex).double()
    heat = _laplacian(operators.heat_weights, faces, is_vertex.shape[1])
    heat = _Inverse.apply(heat + torch.diag_embed(operators.mass + padding))
    ground = padding.clone()
    ground[:, 0] = 1
    flow = _divergence(heat, faces, operators)
    laplacian = _laplacian(operators.weights, faces, is_vertex.shape[1])
    distance = _Inverse.apply(laplacian + torch.diag_embed(ground)) @ flow
    distance = distance - torch.diagonal(distance, dim1=1, dim2=2)[:, None]
    return 0.5 * (distance + distance.mT)


def _operators(vertices: Tensor, faces: Tensor, is_face: Tensor, settings: Settings) -> Operators:
    slack = _MOLLIFY_RELEASED if settings.is_released else _MOLLIFY
    weights, areas, squared_edge = _cotan(vertices, faces, is_face, slack)
    mass = vertices.new_zeros(vertices.shape[:2])
    mass = mass.index_put(_corners(faces), (areas / 3)[..., None].expand(faces.shape), accumulate=True)
    t = squared_edge if settings.time is None else torch.full_like(squared_edge, settings.time)
    flow_weights, floor = weights, torch.full_like(areas, _TINY)
    if settings.is_released:
        flow_weights, areas, floor = _as_released(weights, areas)
    inverse = torch.where(is_face, areas, 1).reciprocal()
    return Operators(weights, t[:, None, None] * weights, mass, flow_weights, inverse, floor)


def _cotan(vertices: Tensor, faces: Tensor, is_face: Tensor, slack: float) -> tuple[Tensor, Tensor, Tensor]:
    """Half cotangents (K, F, 3) and areas (K, F), 0 at padding, and the squared mean edge length (K,)."""
    rows = torch.arange(len(faces), device=faces.device)[:, None]
    a, b, c = (vertices[rows, faces[..., k]] for k in range(3))
    sides = torch.stack([c - b, a - c, b - a], dim=2)  # opposite corners 0, 1, 2
    squared = torch.where(is_face[..., None], sides.square().sum(-1), 1)
    real = is_face.double()
    lengths = _mollified(squared.clamp(min=_TINY).sqrt(), is_face, slack)
    x, y, z = lengths.unbind(-1)
    areas = 0.25 * ((x + y + z) * (y + z - x) * (z + x - y) * (x + y - z)).sqrt()
    squared = lengths.square()
    weights = (squared.sum(-1, keepdim=True) - 2 * squared) / (8 * areas[..., None])
    mean_edge = (lengths.mean(-1) * real).sum(-1) / real.sum(-1)
    return weights * real[..., None], areas * real, mean_edge.square()


def _mollified(lengths: Tensor, is_face: Tensor, slack: float) -> Tensor:
    """Edges of a patch lengthened equally until every triangle inequality holds with some slack (Sharp & Crane 2020).

    A patch without flat triangles is returned unchanged.
    """
    with torch.no_grad():
        real = is_face[..., None].double()
        mean = (lengths * real).sum((1, 2)) / (3 * real.sum((1, 2)))
        excess = (2 * lengths.amax(-1) - lengths.sum(-1)).masked_fill(~is_face, -torch.inf).amax(-1)
        more = (excess + slack * mean).clamp(min=0)
    return lengths + more[:, None, None]


def _as_released(weights: Tensor, areas: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Weights, areas and floor (K, F) of the divergence, as `repose.gih.released` derives them."""
    shrink = torch.where(areas > 0, 2 * areas / (2 * areas + AREA_EPSILON), 1)  # 1 at padding
    return weights * shrink[..., None], areas * shrink, 4 * GRADIENT_EPSILON / shrink**4


def _laplacian(weights: Tensor, faces: Tensor, size: int) -> Tensor:
    """Positive semi-definite (K, P, P)."""
    rows, columns = faces.roll(-1, 2), faces.roll(-2, 2)
    batch, _ = _corners(faces)
    zero = weights.new_zeros(len(faces), size, size)
    half = zero.index_put((batch, rows, columns), weights, accumulate=True)
    adjacency = half + half.mT
    return torch.diag_embed(adjacency.sum(-1)) - adjacency


def _divergence(
    heat: Tensor,  # (K, P, sources)
    faces: Tensor,  # (K, F, 3)
    operators: Operators,
) -> Tensor:
    """Minus the integrated divergence of the normalised gradient, (K, P, sources), by edge fluxes."""
    # One long list of rows: gathers and sums then move whole rows, several times faster than by (patch, vertex).
    rows = (
        (faces + heat.shape[1] * torch.arange(len(faces), device=faces.device)[:, None, None]).flatten(0, 1).T
    )
    values, shares = heat.flatten(0, 1), operators.flow_weights.flatten(0, 1)
    corners = [values.index_select(0, row) for row in rows]
    across = [corners[(k + 1) % 3] - corners[(k + 2) % 3] for k in range(3)]
    flux = [shares[:, k, None] * across[k] for k in range(3)]
    squared = sum(f * d for f, d in zip(flux, across, strict=True)) * operators.inverse_area.flatten()[:, None]
    unit = (squared.clamp(min=0) + operators.floor.flatten()[:, None]).rsqrt()
    flux = [f * unit for f in flux]
    out = torch.zeros_like(values)
    for k, row in enumerate(rows):
        out = out.index_add(0, row, flux[(k + 1) % 3] - flux[(k + 2) % 3])
    return out.unflatten(0, heat.shape[:2])


def _corners(faces: Tensor) -> tuple[Tensor, Tensor]:
    batch = torch.arange(len(faces), device=faces.device)[:, None, None].expand(faces.shape)
    return batch, faces


class _Inverse(torch.autograd.Function):
    """Inverse of symmetric positive definite (K, P, P); NaN of one that is not, which ends a training."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor) -> Tensor:
        factor, bad = torch.linalg.cholesky_ex(matrix)  # without an error, for which it would wait for a GPU
        found = torch.where(bad[:, None, None] == 0, torch.cholesky_inverse(factor), torch.nan)
        ctx.save_for_backward(found)
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        """Two products, where a gradient through the factor takes ten times as long."""
        (found,) = ctx.saved_tensors
        return -(found @ grad @ found)
