"""Residual block of 3D-CoreNet's feature extractor, with a closed-form gradient.

Written out, autograd keeps five tensors of the block's size; three are enough, because the others are recomputed from
them by one cheap pass.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from repose.methods.layers.linear import NormedLinear
from repose.methods.layers.statistics import normalise, through_norm


class _Residual(torch.autograd.Function):
    """Computes `prelu(norm(prelu(norm(x W1ᵀ)) W2ᵀ) + x)`, with one slope for both."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w_1: Tensor, w_2: Tensor, slope: Tensor) -> Tensor:
        inner, inner_scale = normalise(F.linear(x, w_1))
        outer, outer_scale = normalise(F.linear(F.prelu(inner, slope), w_2))
        ctx.save_for_backward(x, w_1, w_2, slope, inner, inner_scale, outer, outer_scale)
        return F.prelu(outer + x, slope)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        x, w_1, w_2, slope, inner, inner_scale, outer, outer_scale = ctx.saved_tensors
        g_sum, g_slope = _through_prelu(outer + x, slope, grad)
        g_second = through_norm(outer, outer_scale, g_sum)
        g_w_2 = g_second.flatten(0, 1).T @ F.prelu(inner, slope).flatten(0, 1)
        g_inner, g_slope_inner = _through_prelu(inner, slope, g_second @ w_2)
        g_first = through_norm(inner, inner_scale, g_inner)
        g_w_1 = g_first.flatten(0, 1).T @ x.flatten(0, 1)
        return g_sum.add_(g_first @ w_1), g_w_1, g_w_2, g_slope + g_slope_inner


def _through_prelu(x: Tensor, slope: Tensor, grad: Tensor) -> tuple[Tensor, Tensor]:
    below = x.clamp(max=0).mul_(grad)
    wide = torch.promote_types(x.dtype, torch.float32)
    # A boolean mask with `where` would take five times as long on a CPU.
    above = torch.ops.aten.threshold_backward(grad, x, 0)
    return torch.lerp(grad, above, 1 - slope), below.sum(dtype=wide).to(slope.dtype)[None]


class FeatureBlock(nn.Module):
    """Residual block whose single PReLU, with one slope, is used twice, as released."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = NormedLinear(channels, channels)
        self.conv2 = NormedLinear(channels, channels)
        self.prelu = nn.PReLU()

    def forward(
        self,
        x: Tensor,  # (B, N, C)
    ) -> Tensor:
        """Return (B, N, C)."""
        device = x.device.type
        if torch.is_autocast_enabled(device):
            x = x.to(torch.get_autocast_dtype(device))
        weights = (w.to(x.dtype) for w in (self.conv1.weight, self.conv2.weight, self.prelu.weight))
        with torch.autocast(device, enabled=False):
            return _Residual.apply(x, *weights)
