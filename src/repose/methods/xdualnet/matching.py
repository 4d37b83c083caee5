"""Optimal transport in both directions, as in X-DualNet: the warp, and the pose mesh carried back from it.

The plan is that of 3D-CoreNet, T = diag(a) K diag(b) after five Sinkhorn iterations
(`repose.methods.layers.transport`), but its rows are divided by their sums plus 1e-8. With u = K b and N identity
vertices this gives

    T_norm = diag(s) K diag(b),  s = 1 / (u (1 + 1e-8 N) + 1e-16 N),

so that the last a cancels here, too. The warp is W = T_norm P, and the mesh carried back is T_normᵀ W. Columns of
T_norm sum to about N / M, so with unequal vertex counts the mesh carried back has another size. By default each column
is divided by its sum, and then b cancels as well: Kᵀ (s ∘ W) / Kᵀ s.

The gradient is in closed form, a sum of 17 outer products in dL/dK: nothing with N × M entries is kept between the
passes.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from repose.methods.layers.padding import padded
from repose.methods.layers.transport import FLOOR, STEPS, Kernel, through_kernel, through_steps, times

Back = Literal["means", "sums"]


def there_and_back(
    queries: Tensor,  # (B, N, C), of unit length
    keys: Tensor,  # (B, M, C), of unit length
    points: Tensor,  # (B, M, 3)
    back: Back | None = "means",
) -> tuple[Tensor, Tensor]:
    """Return the warp (B, N, 3), and the pose mesh carried back from it (B, M, 3).

    It is computed in at least float32, also under autocast: exp(-1/ε) = 3e-15 and the floor vanish in half precision.

    Args:
        queries, keys, points: features of the identity, features of the pose mesh, and the vertices of the pose mesh.
        back: how the pose mesh is carried back: as weighted means of the warp's vertices, or, as released, as their
            sums weighted by the rows of the transposed plan, whatever these add up to. None: it is not carried back.
    """
    with torch.autocast(queries.device.type, enabled=False):
        wide = torch.promote_types(queries.dtype, torch.float32)
        real = points.shape[1]
        pose = (padded(x.to(wide), 1) for x in (keys, points))
        warp, returned = _Matching.apply(queries.to(wide), *pose, real, back)
        return warp, returned[:, :real] if back else returned


class _Matching(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, queries: Tensor, keys: Tensor, points: Tensor, real: int, back: Back | None
    ) -> tuple[Tensor, Tensor | None]:
        kernel = Kernel(queries, keys, real)
        a, b = _steps(kernel, queries)
        weighted = (b[-1].mT * F.pad(points, (0, 1), value=1.0)).contiguous()
        total = torch.cat([torch.bmm(tile, weighted) for _, tile in kernel], dim=1)
        count = queries.shape[1]
        s = 1 / (total[..., 3:] * (1 + FLOOR * count) + FLOOR**2 * count)
        warp = s * total[..., :3]
        summed, returned = None, None
        if back:
            summed = times(torch.cat([s * warp, s], dim=2), kernel)  # (B, 4, M)
            returned = (summed[:, :3] * b[-1] if back == "sums" else summed[:, :3] / summed[:, 3:]).mT
        ctx.real, ctx.back = real, back
        ctx.save_for_backward(
            queries, keys, points, warp, s, torch.stack(a), torch.stack(b), summed, returned
        )
        return warp, returned

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g_warp: Tensor, g_returned: Tensor | None) -> tuple[Tensor | None, ...]:
        queries, keys, points, warp, s, a, b, summed, returned = ctx.saved_tensors
        kernel, last = Kernel(queries, keys, ctx.real), b[-1]
        # dL/dK = left @ right; the columns of left (B, N, ·) and the rows of right (B, ·, M) are collected here.
        lefts, rights = [], []
        g_s, g_b = torch.zeros_like(s), torch.zeros_like(last)
        if ctx.back:
            assert g_returned is not None
            g_summed = _of_the_way_back(ctx.back, g_returned.mT, summed, returned.mT, last)
            lefts.append(torch.cat([s * warp, s], dim=2))
            rights.append(g_summed)
            through = torch.cat([torch.bmm(tile, g_summed.mT) for _, tile in kernel], dim=1)  # (B, N, 4)
            g_warp = g_warp + s * through[..., :3]
            g_s = through[..., 3:] + (warp * through[..., :3]).sum(-1, keepdim=True)
            if ctx.back == "sums":
                g_b = (g_returned.mT * summed[:, :3]).sum(1, keepdim=True)
        g_s = g_s + (g_warp * warp).sum(-1, keepdim=True) / s
        g_u = -(1 + FLOOR * queries.shape[1]) * s.square() * g_s
        lefts.append(torch.cat([s * g_warp, g_u], dim=2))
        values = F.pad(points, (0, 1), value=1.0).mT  # (B, 4, M)
        rights.append(last * values)
        through = times(lefts[-1], kernel)
        g_points = (last * through[:, :3]).mT
        of_steps = through_steps(kernel, a, b, g_b + (through * values).sum(1, keepdim=True))
        left, right = torch.cat([*lefts, *of_steps[0]], dim=2), torch.cat([*rights, *of_steps[1]], dim=1)
        return *through_kernel(kernel, queries, keys, left, right), g_points, None, None


def _steps(kernel: Kernel, queries: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Return the Sinkhorn iterates: every a (B, N, 1) but the last, and every b (B, 1, M)."""
    n = queries.shape[1]
    a, b = [queries.new_full((len(queries), n, 1), 1.0 / n)], []
    for step in range(STEPS):
        b.append(kernel.share / (times(a[-1], kernel) + FLOOR))
        if step < STEPS - 1:
            u = torch.cat([torch.bmm(tile, b[-1].mT) for _, tile in kernel], dim=1)
            a.append((1.0 / n) / (u + FLOOR))
    return a, b


def _of_the_way_back(
    back: Back,
    grad: Tensor,  # (B, 3, M)
    summed: Tensor,  # (B, 4, M)
    returned: Tensor,  # (B, 3, M)
    b: Tensor,  # (B, 1, M)
) -> Tensor:
    """Return the gradient (B, 4, M) of Kᵀ (s ∘ W) and Kᵀ s from that of the mesh carried back."""
    if back == "sums":
        return F.pad(grad * b, (0, 0, 0, 1))
    each = grad / summed[:, 3:]
    return torch.cat([each, -(each * returned).sum(1, keepdim=True)], dim=1)
