"""Statistics and norms of features, with closed-form gradients.

`torch.var_mean` over the vertex axis of a (B, N, C) tensor costs about ten times a mean and a centred
sum of squares on a CPU, and its autograd keeps more; these two functions are what the networks use.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

EPSILON = 1e-5  # torch's own instance norm and both published systems use this floor
_UNIT_FLOOR = 2.2e-16  # added to the length, as in the released code


class _Centre(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        wide = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
        mean = wide.mean(dim=1, keepdim=True)
        centred = wide - mean
        squares = centred.square().sum(dim=1, keepdim=True)
        centred = centred.to(x.dtype)
        ctx.save_for_backward(centred)
        return centred, mean, squares

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g_centred: Tensor, g_mean: Tensor, g_squares: Tensor) -> Tensor:
        (centred,) = ctx.saved_tensors
        row = g_mean / centred.shape[1] - g_centred.mean(dim=1, keepdim=True)
        return torch.addcmul(g_centred, centred, (2 * g_squares).to(centred.dtype)).add_(row)


def centre(
    x: Tensor,  # (B, N, C)
) -> tuple[Tensor, Tensor, Tensor]:
    """Subtract each mesh's mean feature.

    Returns:
        The centred features (B, N, C), the mean (B, 1, C) and the sum of squared deviations (B, 1, C);
        the caller divides the last by N or by N - 1, as its paper does.
    """
    return _Centre.apply(x)


def normalise(
    x: Tensor,  # (B, N, C)
) -> tuple[Tensor, Tensor]:
    """Return normalised features (B, N, C) and their scale (B, 1, C), for use inside a custom gradient."""
    wide = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
    out = wide - wide.mean(dim=1, keepdim=True)
    scale = (out.square().mean(dim=1, keepdim=True) + EPSILON).rsqrt_()
    return out.mul_(scale).to(x.dtype), scale.to(x.dtype)


def through_norm(
    out: Tensor,  # (B, N, C), normalised
    scale: Tensor,  # (B, 1, C)
    grad: Tensor,  # (B, N, C)
) -> Tensor:
    """Return the gradient (B, N, C) with respect to the input of `normalise`, from that of its output."""
    slope = (grad * out).mean(dim=1, keepdim=True)
    return torch.addcmul(grad, out, slope, value=-1).sub_(grad.mean(dim=1, keepdim=True)).mul_(scale)


class _InstanceNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        out, scale = normalise(x)
        ctx.save_for_backward(out, scale)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        out, scale = ctx.saved_tensors
        return through_norm(out, scale, grad)


def instance_norm(
    x: Tensor,  # (B, N, C)
) -> Tensor:
    """Normalise each channel of each mesh over its vertices: biased variance, floor 1e-5, no affine part."""
    return _InstanceNorm.apply(x)


class _Unit(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True).add_(_UNIT_FLOOR)
        out = x / length
        ctx.save_for_backward(out, length)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        out, length = ctx.saved_tensors
        return torch.addcmul(grad, out, (grad * out).sum(-1, keepdim=True), value=-1).div_(length)


def unit(
    x: Tensor,  # (..., C)
) -> Tensor:
    """Scale each vertex's feature to length one."""
    return _Unit.apply(x)
