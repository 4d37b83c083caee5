"""Convolution over neighbourhoods (FLOT, Puy et al., ECCV 2020, after PointNet++), with a closed-form gradient.

Published form: each pair of a vertex i and a neighbour j has the features of j and the vector from i to j as input.
Three maps of kernel 1 follow, each with an instance norm over all pairs of the mesh, with scale and shift, and
LeakyReLU(0.1). The output of i is the maximum over its neighbours.

The first map is linear in both inputs, so it is a difference of two per-vertex vectors, p_j - q_i, and needs no matrix
product per pair. The last norm and activation are applied after the maximum, which commutes with increasing functions;
the scale, which may be negative, is applied before it. Three tensors of a pair's size are kept for the backward pass
where autograd keeps ten.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from repose.methods.layers.gather import flat, gathered
from repose.methods.layers.statistics import normalise, through_norm

_SLOPE = 0.1


class ScaleShift(nn.Module):
    """Scale and shift of the channels of a norm."""

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))


class SetConvolution(nn.Module):
    """Computes features of vertices from those of their neighbourhoods."""

    def __init__(self, in_channels: int, channels: int):
        super().__init__()
        self.fc1 = nn.Linear(in_channels + 3, channels, bias=False)
        self.fc2 = nn.Linear(channels, channels, bias=False)
        self.fc3 = nn.Linear(channels, channels, bias=False)
        self.norm1, self.norm2, self.norm3 = (ScaleShift(channels) for _ in range(3))

    def forward(
        self,
        x: Tensor,  # (B, N, in_channels)
        vertices: Tensor,  # (B, N, 3) metres; the vectors to neighbours pass no gradient to them
        neighbours: Tensor,  # (B, N, k) int64
    ) -> Tensor:
        """Return (B, N, channels)."""
        # At least float32, also under autocast: vectors to neighbours are small differences of positions, and
        # differences of features are divided by 0.03 in the matching.
        with torch.autocast(x.device.type, enabled=False):
            wide = torch.promote_types(x.dtype, torch.float32)
            of_features, of_vectors = self.fc1.weight.to(wide).split((x.shape[-1], 3), dim=1)
            there = F.linear(vertices.detach().to(wide), of_vectors)
            pairs = F.linear(x.to(wide), of_features) + there, there
            norms = (t.to(wide) for n in (self.norm1, self.norm2, self.norm3) for t in (n.weight, n.bias))
            maps = self.fc2.weight.to(wide), self.fc3.weight.to(wide)
            return _SetConvolution.apply(*pairs, neighbours, *maps, *norms)


class _SetConvolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, p: Tensor, q: Tensor, neighbours: Tensor, w_2: Tensor, w_3: Tensor, *norms: Tensor
    ) -> Tensor:
        first, second, third = norms[:2], norms[2:4], norms[4:]
        shape = (*neighbours.shape, p.shape[2])  # (B, N, k, C)
        n_1, scale_1 = normalise((gathered(p, neighbours) - q[:, :, None]).flatten(1, 2))
        n_2, scale_2 = normalise(F.linear(_activated(n_1, *first), w_2))
        n_3, scale_3 = normalise(F.linear(_activated(n_2, *second), w_3))
        best, where = (n_3 * third[0]).view(shape).max(dim=2)
        out = F.leaky_relu(best + third[1], _SLOPE)
        ctx.save_for_backward(
            neighbours, w_2, w_3, *norms, n_1, scale_1, n_2, scale_2, n_3, scale_3, where, out
        )
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        neighbours, w_2, w_3, *norms = ctx.saved_tensors[:9]
        n_1, scale_1, n_2, scale_2, n_3, scale_3, where, out = ctx.saved_tensors[9:]
        first, second, third = norms[:2], norms[2:4], norms[4:]
        shape = (*neighbours.shape, out.shape[2])
        grad = torch.ops.aten.leaky_relu_backward(grad, out, _SLOPE, True)
        chosen = n_3.view(shape).gather(2, where[:, :, None])[:, :, 0]
        g_third = _sum(grad * chosen), _sum(grad)
        g_3 = torch.zeros_like(n_3).view(shape).scatter_(2, where[:, :, None], (grad * third[0])[:, :, None])
        g_3 = through_norm(n_3, scale_3, g_3.flatten(1, 2))
        g_w_3, g_2, g_second = _through_map(g_3, w_3, n_2, scale_2, *second)
        g_w_2, g_1, g_first = _through_map(g_2, w_2, n_1, scale_1, *first)
        g_p = _scattered(g_1, neighbours)
        g_q = -g_1.view(shape).sum(dim=2)
        return g_p, g_q, None, g_w_2, g_w_3, *g_first, *g_second, *g_third


def _through_map(
    grad: Tensor,  # (B, E, C_out), gradient of the output
    weight: Tensor,  # (C_out, C)
    x: Tensor,  # (B, E, C), normalised
    scale: Tensor,  # (B, 1, C), what it was scaled by
    gain: Tensor,  # (C,)
    shift: Tensor,  # (C,)
) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    """Return the gradients of the map, of its normalised input (B, E, C), and of the norm's scale and shift."""
    active = _activated(x, gain, shift)
    g_weight = grad.flatten(0, 1).T @ active.flatten(0, 1)
    g_active = torch.ops.aten.leaky_relu_backward(grad @ weight, active, _SLOPE, True)
    g_norm = _sum(g_active * x), _sum(g_active)
    return g_weight, through_norm(x, scale, g_active.mul_(gain)), g_norm


def _activated(x: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    return F.leaky_relu_(torch.addcmul(shift, x, gain), _SLOPE)


def _sum(x: Tensor) -> Tensor:
    """Return the sum over meshes and pairs, (C,)."""
    return x.sum(dim=(0, 1))


def _scattered(grad: Tensor, neighbours: Tensor) -> Tensor:
    batch, count = neighbours.shape[:2]
    total = grad.new_zeros(batch * count, grad.shape[2])
    total.index_add_(0, flat(neighbours, count), grad.flatten(0, 1))
    return total.view(batch, count, -1)
