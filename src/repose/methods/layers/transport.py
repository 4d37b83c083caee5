"""Optimal-transport warp: every identity vertex becomes a mean of pose vertices (3D-CoreNet, sec. 3.1).

Published form: similarity C = θ φᵀ of unit features, kernel K = exp(-(1 - C)/ε), five Sinkhorn steps
    b ← (1/M) / (Kᵀa + 1e-8),   a ← (1/N) / (K b + 1e-8),   a₀ = 1/N,
plan diag(a) K diag(b), its rows normalised, times the pose vertices. Row normalisation cancels the last
`a`, so the warp is attention with key bias log b: W = K (b ∘ P) / K b.

The strongest partner of vertex i, argmax_j of the plan's row, is argmax_j K_ij b_j for the same reason: an index
per vertex, where the released code writes a one-hot N × N matrix and multiplies by it.

The gradient is closed: dL/dK is a sum of 13 outer products (3 of W, 1 of its normaliser, 9 of the steps),
so backward walks over row tiles of K and keeps nothing between the passes that has N × M entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from repose.methods.layers.padding import padded

EPSILON, STEPS = 0.03, 5  # weight of the entropy, and iterations, as published
FLOOR = 1e-8  # of the published code; it shapes the plan of dissimilar rows, so it is part of the function
_TILE_ENTRIES = 1 << 20  # a tile stays in the processor's cache between its two products
# On a CPU, K is kept during one pass if it fits in 256 MiB of float32, else its tiles are recomputed; for a GPU see
# below.
_KEPT_ENTRIES = 1 << 26
_KEPT_SHARE = 0.25  # share of a GPU's free memory that K may take during one pass


class Kernel:
    """Row tiles of K (B, N, M), which are kept during one pass if they fit, else recomputed in every loop over them.

    Attributes:
        real: how many of the M columns are not padding.
        share: (1, 1, M), the weight of each pose vertex: 1 / real, and 0 for padding, which makes b 0 there.
    """

    def __init__(self, theta: Tensor, phi: Tensor, real: int):
        self.real = real
        self.share = F.pad(theta.new_full((1, 1, real), 1.0 / real), (0, phi.shape[1] - real))
        self.theta, self.phi_t = theta / EPSILON, phi.mT
        batch, rows, columns = len(theta), theta.shape[1], phi.shape[1]
        entries = _TILE_ENTRIES if theta.device.type == "cpu" else _KEPT_ENTRIES
        self.step = max(1, entries // (batch * columns))
        self.starts = range(0, rows, self.step)
        self.held: dict[int, Tensor] | None = (
            {} if batch * rows * columns <= _entries_to_keep(theta) else None
        )

    def __iter__(self) -> Iterator[tuple[slice, Tensor]]:
        for start in self.starts:
            rows = slice(start, start + self.step)
            tile = self.held.get(start) if self.held is not None else None
            if tile is None:
                # K = exp(C/ε - 1/ε): the constant enters as the product's addend
                constant = self.theta.new_full((1, 1, 1), -1.0 / EPSILON)
                tile = torch.baddbmm(constant, self.theta[:, rows], self.phi_t).exp_()
                if self.held is not None:
                    self.held[start] = tile
            yield rows, tile


def _entries_to_keep(theta: Tensor) -> int:
    """Return how many entries of K may be kept; this decides what is recomputed, but no result."""
    if theta.device.type == "cpu":
        return _KEPT_ENTRIES
    free, _ = torch.cuda.mem_get_info(theta.device)
    unused = torch.cuda.memory_reserved(theta.device) - torch.cuda.memory_allocated(theta.device)
    return int(_KEPT_SHARE * (free + unused)) // theta.element_size()


class _Warp(torch.autograd.Function):
    """Sums over rows are written `row vector @ tile`, as `tileᵀ @ column` is six times slower on a CPU."""

    @staticmethod
    def forward(
        ctx: Any, theta: Tensor, phi: Tensor, points: Tensor, real: int, assign: bool
    ) -> tuple[Tensor, Tensor | None]:
        kernel = Kernel(theta, phi, real)
        n = theta.shape[1]
        a = [theta.new_full((len(theta), n, 1), 1.0 / n)]
        b: list[Tensor] = []
        sums = times(a[0], kernel)
        for step in range(STEPS):
            b.append(kernel.share / (sums + FLOOR))
            if step == STEPS - 1:
                break
            # Both halves of a step in one loop over K: a of these rows, then their contribution to Kᵀ a.
            a.append(torch.empty_like(a[0]))
            sums = torch.zeros_like(sums)
            for rows, tile in kernel:
                a[-1][:, rows] = (1.0 / n) / (torch.bmm(tile, b[-1].mT) + FLOOR)
                sums.baddbmm_(a[-1][:, rows].mT, tile)
        weighted = (b[-1].mT * F.pad(points, (0, 1), value=1.0)).contiguous()
        sums_of_rows, strongest = [], []
        for _, tile in kernel:
            sums_of_rows.append(torch.bmm(tile, weighted))
            if assign:
                strongest.append((tile * b[-1]).argmax(dim=2))
        total = torch.cat(sums_of_rows, dim=1)
        warp = total[..., :3] / total[..., 3:]
        ctx.real = real
        ctx.save_for_backward(theta, phi, points, warp, total[..., 3:], torch.stack(a), torch.stack(b))
        assignment = torch.cat(strongest, dim=1) if assign else None
        # Callers that ask for an assignment differentiate one match before the next, so a CPU has room to keep K until
        # then.
        ctx.held = kernel.held if assign and not theta.is_cuda else None
        if assignment is not None:
            ctx.mark_non_differentiable(assignment)
        return warp, assignment

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, _: Any) -> tuple[Tensor | None, ...]:
        theta, phi, points, warp, row_sums, a, b = ctx.saved_tensors
        kernel = Kernel(theta, phi, ctx.real)
        if ctx.held:
            kernel.held, ctx.held = ctx.held, None
        # dL/dK = left @ right; the first four outer products come from the attention itself.
        g_rows = grad / row_sums
        left = torch.cat([g_rows, -(g_rows * warp).sum(-1, keepdim=True)], dim=2)
        values = F.pad(points, (0, 1), value=1.0).mT
        summed = times(left, kernel)
        g_points = (b[-1] * summed[:, :3]).mT
        lefts, rights = through_steps(kernel, a, b, (summed * values).sum(1, keepdim=True))
        left, right = torch.cat([left, *lefts], dim=2), torch.cat([b[-1] * values, *rights], dim=1)
        return *through_kernel(kernel, theta, phi, left, right), g_points, None, None


def times(columns: Tensor, kernel: Kernel) -> Tensor:
    """Return the transposed columns (B, N, C) times K, (B, C, M)."""
    total = kernel.phi_t.new_zeros(len(columns), columns.shape[2], kernel.phi_t.shape[2])
    for rows, tile in kernel:
        total.baddbmm_(columns[:, rows].mT, tile)
    return total


def through_kernel(
    kernel: Kernel,
    theta: Tensor,  # (B, N, C)
    phi: Tensor,  # (B, M, C)
    left: Tensor,  # (B, N, R)
    right: Tensor,  # (B, R, M)
) -> tuple[Tensor, Tensor]:
    """Return the gradients of theta and phi from that of K, which is left @ right."""
    g_theta, g_phi_t = torch.empty_like(theta), phi.new_zeros(phi.mT.shape)
    left, right = padded(left, 2), padded(right, 1)
    for rows, tile in kernel:
        g_similarity = torch.bmm(left[:, rows], right).mul_(tile)
        g_theta[:, rows] = torch.bmm(g_similarity, phi)
        g_phi_t.baddbmm_(theta[:, rows].mT, g_similarity)
    return g_theta.div_(EPSILON), g_phi_t.div_(EPSILON).mT


def through_steps(
    kernel: Kernel,
    a: Tensor,  # (steps, B, N, 1)
    b: Tensor,  # (steps, B, 1, M)
    g_b: Tensor,  # (B, 1, M), gradient of the last b
) -> tuple[list[Tensor], list[Tensor]]:
    """Return the adjoint of the Sinkhorn steps: the outer products (left (B, N, 1), right (B, 1, M)) of dL/dK."""
    n = a.shape[2]
    lefts, rights = [], []
    for step in range(len(b) - 1, -1, -1):
        s = -kernel.real * g_b * b[step].square()
        lefts.append(a[step])
        rights.append(s)
        if step == 0:
            break
        u = torch.empty_like(a[step])
        g_b = torch.zeros_like(g_b)
        for rows, tile in kernel:
            u[:, rows] = -n * torch.bmm(tile, s.mT) * a[step][:, rows].square()
            g_b.baddbmm_(u[:, rows].mT, tile)
        lefts.append(u)
        rights.append(b[step - 1])
    return lefts, rights


def transport_match(
    theta: Tensor,  # (B, N, C), unit length along C
    phi: Tensor,  # (B, M, C), unit length along C
    points: Tensor,  # (B, M, 3), pose vertices
) -> tuple[Tensor, Tensor]:
    """Return the warp, and for each identity vertex the pose vertex of largest transport.

    Returns:
        The warp (B, N, 3) as in `transport_warp`, and indices (B, N) int64 into the M pose vertices, without gradient.
    """
    return _transport(theta, phi, points, assign=True)


def transport_warp(
    theta: Tensor,  # (B, N, C), unit length along C
    phi: Tensor,  # (B, M, C), unit length along C
    points: Tensor,  # (B, M, 3), pose vertices
) -> Tensor:
    """Return for each of N identity vertices a convex combination of the M pose vertices, (B, N, 3).

    It is always computed in at least float32, also under autocast: exp(-1/ε) = 3e-15 and the floor vanish in half
    precision.
    """
    return _transport(theta, phi, points, assign=False)[0]


def _transport(theta: Tensor, phi: Tensor, points: Tensor, assign: bool) -> tuple[Tensor, Tensor]:
    with torch.autocast(theta.device.type, enabled=False):
        wide = torch.promote_types(theta.dtype, torch.float32)
        pose = (padded(x.to(wide), 1) for x in (phi, points))
        return _Warp.apply(theta.to(wide), *pose, points.shape[1], assign)
