"""One operation behind SPAdaIN and ElaIN: features scaled and shifted per vertex by a condition.

Both published layers are, once their statistics are known, `act(x ∘ (c A) + c B)` with `c` the vertex's
condition (its coordinates, or its features) and `A`, `B` small matrices of each mesh. Doing it in one
function keeps three tensors for the backward pass where the written-out layers keep seven.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

_CHEAP_CONDITION = 8  # up to this width, computing `c A` again costs less than keeping it


class _Modulate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, cond: Tensor, scale: Tensor, shift: Tensor, slope: float) -> Tensor:
        gain = torch.bmm(cond, scale)
        out = F.leaky_relu_((x * gain).baddbmm_(cond, shift), slope)
        ctx.slope = slope
        ctx.save_for_backward(
            x, cond, scale, shift, out, None if cond.shape[-1] <= _CHEAP_CONDITION else gain
        )
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, cond, scale, shift, out, gain = ctx.saved_tensors
        g_shifted = torch.ops.aten.leaky_relu_backward(grad, out, ctx.slope, True)
        g_gain = g_shifted * x
        g_x = g_shifted * (torch.bmm(cond, scale) if gain is None else gain)
        g_cond = None
        if ctx.needs_input_grad[1]:
            g_cond = torch.bmm(g_gain, scale.mT).baddbmm_(g_shifted, shift.mT)
        return g_x, g_cond, torch.bmm(cond.mT, g_gain), torch.bmm(cond.mT, g_shifted), None


def modulate(
    x: Tensor,  # (B, N, C)
    cond: Tensor,  # (B, N, K), the last channel is 1 (see with_ones): it carries the biases
    scale: Tensor,  # (B, K, C)
    shift: Tensor,  # (B, K, C)
    slope: float,
) -> Tensor:
    """Return `leaky_relu(x ∘ (cond @ scale) + cond @ shift, slope)`, (B, N, C); slope 0 is ReLU."""
    cond, scale, shift = (t.to(x.dtype) for t in (cond, scale, shift))
    return _Modulate.apply(x, cond, scale, shift, slope)


def with_ones(
    cond: Tensor,  # (B, N, K)
) -> Tensor:
    """Append a channel of ones, so that a matrix product adds its bias: (B, N, K + 1)."""
    return F.pad(cond, (0, 1), value=1.0)
