"""Geodesics in heat on patches: batched, dense, and differentiable in the vertices.

The heat method of `repose.gih.solver` on small open meshes, in torch and float64, for losses. It works on the
triangles as they are: no intrinsic Delaunay flips, which have no gradient. In the released convention it is what the
published code computes, its two constants included (see `repose.gih.released`).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from repose.gih.convention import AREA_EPSILON, GRADIENT_EPSILON, METRES, Settings

_MOLLIFY = 1e-3  # slack of the triangle inequality, in mean edge lengths
# So little that it only keeps a flat face, of which the published code makes NaN, finite.
_MOLLIFY_RELEASED = 1e-9
_TINY = 1e-200  # added to squared gradients of heat, which decay like exp(-2 d / √t), and to squared lengths


def patch_distances(
    vertices: Tensor,  # (K, P, 3), metres
    faces: Tensor,  # (K, F, 3), int64 places in the patch
    is_vertex: Tensor,  # (K, P), bool
    is_face: Tensor,  # (K, F), bool
    settings: Settings = METRES,
) -> Tensor:
    """Distances (K, P, P) between all vertices of each patch, along the patch, in the unit of the settings.

    Padded vertices get meaningless finite values, which the caller masks. With a gradient each patch keeps tens of
    matrices, so several are better differentiated one after another.

    Args:
        vertices: of K patches, padded.
        faces, is_vertex, is_face: see `repose.mesh.patches.PaddedPatches`; every true vertex is in a true face.
        settings: time of the heat flow and unit of the result. Without a time it is the squared mean edge length of
            each patch, so that distances scale exactly as the patch does.
    """
    parts = zip(*(x.split(1) for x in (vertices, faces, is_vertex, is_face)), strict=True)
    return torch.cat([_distances(v, f, corner, real, settings) for v, f, corner, real in parts])


def _distances(
    vertices: Tensor, faces: Tensor, is_vertex: Tensor, is_face: Tensor, settings: Settings
) -> Tensor:
    slack = _MOLLIFY_RELEASED if settings.is_released else _MOLLIFY
    weights, areas, squared_edge = _cotan(vertices.double(), faces, is_face, slack)
    laplacian = _laplacian(weights, faces, vertices.shape[1])
    mass = torch.zeros_like(laplacian[..., 0])
    mass = mass.index_put(_corners(faces), (areas / 3)[..., None].expand(faces.shape), accumulate=True)
    padding = (~is_vertex).double()
    t = squared_edge if settings.time is None else torch.full_like(squared_edge, settings.time)
    heat = _Inverse.apply(t[:, None, None] * laplacian + torch.diag_embed(mass + padding))
    ground = padding.clone()
    ground[:, 0] = 1
    floor = torch.full_like(areas, _TINY)
    if settings.is_released:
        weights, areas, floor = _as_released(weights, areas)
    flow = _divergence(heat, weights, areas, faces, floor)
    distance = _Inverse.apply(laplacian + torch.diag_embed(ground)) @ flow
    distance = distance - torch.diagonal(distance, dim1=1, dim2=2)[:, None]
    return (0.5 * settings.factor * (distance + distance.mT)).to(vertices.dtype)


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
    weights: Tensor,  # (K, F, 3)
    areas: Tensor,  # (K, F)
    faces: Tensor,  # (K, F, 3)
    floor: Tensor,  # (K, F), added to squared gradients
) -> Tensor:
    """Minus the integrated divergence of the normalised gradient, (K, P, sources), by edge fluxes."""
    # One long list of rows: gathers and sums then move whole rows, several times faster than by (patch, vertex).
    rows = (
        (faces + heat.shape[1] * torch.arange(len(faces), device=faces.device)[:, None, None]).flatten(0, 1).T
    )
    values, shares = heat.flatten(0, 1), weights.flatten(0, 1)
    corners = [values.index_select(0, row) for row in rows]
    across = [corners[(k + 1) % 3] - corners[(k + 2) % 3] for k in range(3)]
    flux = [shares[:, k, None] * across[k] for k in range(3)]
    squared = (
        sum(f * d for f, d in zip(flux, across, strict=True)) / areas.flatten().clamp(min=_TINY)[:, None]
    )
    unit = (squared.clamp(min=0) + floor.flatten()[:, None]).rsqrt()
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
