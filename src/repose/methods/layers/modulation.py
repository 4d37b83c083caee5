"""One operation behind SPAdaIN and ElaIN: features scaled and shifted per vertex by a condition.

Once their statistics are known, both published layers are `act(x ∘ (c A) + c B)`, with `c` the vertex's condition (its
coordinates, or its features) and small matrices `A`, `B` for each mesh. One function for all of it keeps two tensors of
the features' size for the backward pass, where the written-out layers keep seven. On a CPU it computes intermediates in
tiles of some vertices at a time.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from repose.methods.layers.padding import padded

_CHEAP_CONDITION = 8  # up to this width, computing `c A` again costs less than keeping it on a GPU
# entries of a tile, which stays in a CPU's cache from the first operation to the last
_TILE_ENTRIES = 1 << 19


class _Modulate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, cond: Tensor, scale: Tensor, shift: Tensor, slope: float) -> Tensor:
        out = torch.empty_like(x)
        gain = None
        for rows in _tiles(x):
            gain = torch.bmm(cond[:, rows], scale)
            torch.mul(x[:, rows], gain, out=out[:, rows]).baddbmm_(cond[:, rows], shift)
            F.leaky_relu_(out[:, rows], slope)
        ctx.slope = slope
        kept = gain if x.is_cuda and cond.shape[-1] > _CHEAP_CONDITION else None
        ctx.save_for_backward(x, cond, scale, shift, out, kept)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, cond, scale, shift, out, kept = ctx.saved_tensors
        # Accumulated row by row, whatever the layout of `scale`: bfloat16 products into columns take a thousand times
        # as long.
        g_x, (g_scale, g_shift) = torch.empty_like(x), scale.new_zeros(2, *scale.shape)
        g_cond = torch.empty_like(cond) if ctx.needs_input_grad[1] else None
        for rows in _tiles(x):
            c = cond[:, rows]
            g_shifted = torch.ops.aten.leaky_relu_backward(grad[:, rows], out[:, rows], ctx.slope, True)
            g_gain = g_shifted * x[:, rows]
            torch.mul(g_shifted, torch.bmm(c, scale) if kept is None else kept, out=g_x[:, rows])
            if g_cond is not None:
                g_cond[:, rows] = torch.bmm(g_gain, scale.mT).baddbmm_(g_shifted, shift.mT)
            g_scale.baddbmm_(c.mT, g_gain)
            g_shift.baddbmm_(c.mT, g_shifted)
        return g_x, g_cond, g_scale, g_shift, None


def _tiles(x: Tensor) -> list[slice]:
    """Return the tiles of vertices: one on a GPU, and in half precision, where sums over tiles would be rounded."""
    batch, count, channels = x.shape
    whole = x.is_cuda or x.dtype not in (torch.float32, torch.float64)
    step = count if whole else max(1, _TILE_ENTRIES // (batch * channels))
    return [slice(start, start + step) for start in range(0, count, step)]


def modulate(
    x: Tensor,  # (B, N, C)
    cond: Tensor,  # (B, N, K), one channel is 1 (see with_ones) and carries the biases
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
    """Append a channel of ones, so that a matrix product adds its bias, then pad: (B, N, K + 1) on a CPU."""
    return padded(F.pad(cond, (0, 1), value=1.0), 2)
