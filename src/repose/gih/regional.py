"""Geodesics in heat on patches: batched and differentiable in the vertices.

The heat method of `repose.gih.solver` on small open meshes, in float64, for losses. It works on the given triangles,
without intrinsic Delaunay flips, which have no gradient. In the released convention it computes what the published code
does, including its two constants (see `repose.gih.released`). On a GPU it uses products of dense matrices, on a CPU
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
# So small that it only keeps a flat face finite, for which the published code gives NaN.
_MOLLIFY_RELEASED = 1e-9
_TINY = 1e-200  # added to squared gradients of heat, which decay like exp(-2 d / √t), and to squared lengths


class Operators(NamedTuple):
    """The operators of the heat method for K patches; 0 at padding."""

    weights: Tensor  # (K, F, 3) half cotangents
    heat_weights: Tensor  # (K, F, 3) half cotangents times the time of the heat flow
    mass: Tensor  # (K, P)
    flow_weights: Tensor  # (K, F, 3) half cotangents, for the gradients of heat and their divergence
    inverse_area: Tensor  # (K, F) one over the area, for the gradients of heat and their divergence
    floor: Tensor  # (K, F) added to squared gradients

    @classmethod
    def of(cls, vertices: Tensor, faces: Tensor, is_face: Tensor, settings: Settings = METRES) -> Operators:
        """Return the operators of patches; the arguments are those of `patch_distances`."""
        wide = vertices.double()
        slack = _MOLLIFY_RELEASED if settings.is_released else _MOLLIFY
        weights, areas, squared_edge = _cotan(wide, faces, is_face, slack)
        patch = torch.arange(len(faces), device=faces.device)[:, None, None].expand(faces.shape)
        thirds = (areas / 3)[..., None].expand(faces.shape)
        mass = wide.new_zeros(wide.shape[:2]).index_put((patch, faces), thirds, accumulate=True)
        t = squared_edge if settings.time is None else torch.full_like(squared_edge, settings.time)
        flow_weights, floor = weights, torch.full_like(areas, _TINY)
        if settings.is_released:
            flow_weights, areas, floor = _as_released(weights, areas)
        inverse = torch.where(is_face, areas, 1).reciprocal()
        return cls(weights, t[:, None, None] * weights, mass, flow_weights, inverse, floor)

    def of_each(self) -> list[Operators]:
        """Return the operators of each patch, without the dimension K."""
        return [Operators(*parts) for parts in zip(*self, strict=True)]


def patch_distances(
    vertices: Tensor,  # (K, P, 3), metres
    faces: Tensor,  # (K, F, 3), int64 places in the patch
    is_vertex: Tensor,  # (K, P), bool, padding last
    is_face: Tensor,  # (K, F), bool, padding last
    settings: Settings = METRES,
) -> Tensor:
    """Return the distances (K, P, P) between all vertices of each patch, along the patch, in the unit of the settings.

    Padded vertices get meaningless finite values, which the caller masks. If a gradient is needed, each patch keeps
    some matrices, on a GPU tens of them, so it is better to differentiate patches one after another.

    Args:
        vertices: of K patches, padded.
        faces, is_vertex, is_face: see `repose.mesh.patches.PaddedPatches`; every true vertex is in a true face.
        settings: time of the heat flow and unit of the result. Without a time it is the squared mean edge length of
            each patch, so that distances scale exactly as the patch does.
    """
    operators = Operators.of(vertices, faces, is_face, settings)
    patches = zip(faces, is_vertex, is_face, operators.of_each(), strict=True)
    return settings.factor * torch.stack([distances_along(*patch).to(vertices.dtype) for patch in patches])


def distances_along(
    faces: Tensor,  # (F, 3)
    is_vertex: Tensor,  # (P,)
    is_face: Tensor,  # (F,)
    operators: Operators,  # of one patch, without the dimension K
) -> Tensor:
    """Return the distances (P, P) along one patch, metres, in float64."""
    if faces.device.type != "cpu":
        return dense_distances(faces, is_vertex, operators)
    count, some = int(is_vertex.sum()), int(is_face.sum())
    real = (x[: count if name == "mass" else some] for name, x in operators._asdict().items())
    padding = len(is_vertex) - count
    return F.pad(_Sparse.apply(faces[:some], *real), (0, padding, 0, padding))


class _Sparse(torch.autograd.Function):
    """Computes distances (P, P) of a patch without padding; NaN if a matrix is not positive definite."""

    @staticmethod
    def forward(ctx: Any, faces: Tensor, *operators: Tensor) -> Tensor:
        weights, heat_weights, mass, *flow = (x.detach().numpy() for x in operators)
        ctx.pattern, ctx.flow = regional_kernels.pattern_of(faces.numpy().tobytes(), len(mass)), flow
        place = np.argsort(ctx.pattern.position)
        systems = weights, heat_weights, mass[place], (place == 0).astype(np.float64)
        found, ctx.made = regional_kernels.distances(ctx.pattern, *systems, *flow)
        return torch.from_numpy(found)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        given: Any = (ctx.pattern, *ctx.flow, ctx.made, grad.contiguous().numpy())
        sums, edges, corners = map(torch.from_numpy, regional_kernels.through(*given))
        mass = corners[torch.from_numpy(ctx.pattern.position)]
        return None, sums[:, :3], edges, mass, sums[:, 3:6], sums[:, 6], sums[:, 7]


def dense_distances(faces: Tensor, is_vertex: Tensor, operators: Operators) -> Tensor:
    """Return the same as `distances_along`, by dense matrix products, which are fast on a GPU."""
    padding = (~is_vertex).double()
    heat = _Inverse.apply(_laplacian(operators.heat_weights, faces, operators.mass + padding))
    ground = padding.clone()
    ground[0] = 1
    flow = _divergence(heat, faces, operators)
    distance = _Inverse.apply(_laplacian(operators.weights, faces, ground)) @ flow
    distance = distance - distance.diagonal()
    return 0.5 * (distance + distance.mT)


def _cotan(vertices: Tensor, faces: Tensor, is_face: Tensor, slack: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return half cotangents (K, F, 3) and areas (K, F), 0 at padding, and the squared mean edge length (K,)."""
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
    """Lengthen the edges of a patch equally until every triangle inequality holds with some slack (Sharp & Crane 2020).

    A patch without flat triangles is returned unchanged.
    """
    with torch.no_grad():
        real = is_face[..., None].double()
        mean = (lengths * real).sum((1, 2)) / (3 * real.sum((1, 2)))
        excess = (2 * lengths.amax(-1) - lengths.sum(-1)).masked_fill(~is_face, -torch.inf).amax(-1)
        more = (excess + slack * mean).clamp(min=0)
    return lengths + more[:, None, None]


def _as_released(weights: Tensor, areas: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return weights, areas and floor (K, F) of the divergence, as `repose.gih.released` derives them."""
    shrink = torch.where(areas > 0, 2 * areas / (2 * areas + AREA_EPSILON), 1)  # 1 at padding
    return weights * shrink[..., None], areas * shrink, 4 * GRADIENT_EPSILON / shrink**4


def _laplacian(weights: Tensor, faces: Tensor, diagonal: Tensor) -> Tensor:
    """Return the positive semi-definite Laplacian (P, P) plus a diagonal (P,)."""
    zero = weights.new_zeros(len(diagonal), len(diagonal))
    half = zero.index_put((faces.roll(-1, 1), faces.roll(-2, 1)), weights, accumulate=True)
    adjacency = half + half.mT
    return torch.diag(adjacency.sum(-1) + diagonal) - adjacency


def _divergence(
    heat: Tensor,  # (P, sources)
    faces: Tensor,  # (F, 3)
    operators: Operators,  # of one patch
) -> Tensor:
    """Return minus the integrated divergence of the normalised gradient, (P, sources), by edge fluxes."""
    corners = [heat.index_select(0, row) for row in faces.T]
    across = [corners[(k + 1) % 3] - corners[(k + 2) % 3] for k in range(3)]
    flux = [operators.flow_weights[:, k, None] * across[k] for k in range(3)]
    squared = sum(f * d for f, d in zip(flux, across, strict=True)) * operators.inverse_area[:, None]
    unit = (squared.clamp(min=0) + operators.floor[:, None]).rsqrt()
    flux = [f * unit for f in flux]
    out = torch.zeros_like(heat)
    for k, row in enumerate(faces.T):
        out = out.index_add(0, row, flux[(k + 1) % 3] - flux[(k + 2) % 3])
    return out


class _Inverse(torch.autograd.Function):
    """Inverse of symmetric positive definite (P, P); NaN if it is not positive definite, which ends a training."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor) -> Tensor:
        # without raising an error, for which it would wait for a GPU
        factor, bad = torch.linalg.cholesky_ex(matrix)
        found = torch.where(bad == 0, torch.cholesky_inverse(factor), torch.nan)
        ctx.save_for_backward(found)
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        """Two matrix products; a gradient through the factor would take ten times as long."""
        (found,) = ctx.saved_tensors
        return -(found @ grad @ found)
