"""Operations on images that add in a fixed order on a GPU, which torch's own kernels do not.

Trainings ask for deterministic operations, so that they can be repeated to the bit. Torch then refuses its own backward
passes of padding and sampling, and its own cross entropy of pixels. On a CPU torch's operations are used: they are
deterministic there, and faster.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


def pixel_cross_entropy(
    logits: Tensor,  # (B, K, H, W)
    classes: Tensor,  # (B, H, W) integers below K
) -> Tensor:
    """Return the mean cross entropy over all pixels, as `F.cross_entropy`, whose sum on a GPU has no fixed order."""
    if not logits.is_cuda:
        return F.cross_entropy(logits, classes.long())
    chosen = F.one_hot(classes.long(), logits.shape[1]).movedim(-1, 1)
    return -(logits.log_softmax(dim=1) * chosen).sum(dim=1).mean()


class ReflectionPad(nn.ReflectionPad2d):
    """Reflection padding whose gradient on a GPU is summed in a fixed order."""

    def forward(self, input: Tensor) -> Tensor:  # (B, C, H, W) to (B, C, H + above + below, W + left + right)
        """Pad the image."""
        if not input.is_cuda:
            return super().forward(input)
        left, right, above, below = self.padding
        return _mirrored(_mirrored(input, left, right, -1), above, below, -2)


def _mirrored(x: Tensor, before: int, after: int, dim: int) -> Tensor:
    size = x.shape[dim]
    first = x.narrow(dim, 1, before).flip(dim)
    return torch.cat([first, x, x.narrow(dim, size - 1 - after, after).flip(dim)], dim)


def sample(
    image: Tensor,  # (B, C, H, W)
    grid: Tensor,  # (B, H', W', 2) x and y, from -1 to 1 between the centres of the outermost pixels
) -> Tensor:  # (B, C, H', W')
    """Sample an image bilinearly, 0 outside of it, as `F.grid_sample` does; on a GPU the grid gets no gradient.

    Raises:
        ValueError: the grid requires a gradient on a GPU.
    """
    if not image.is_cuda:
        return F.grid_sample(image, grid, padding_mode="zeros", align_corners=True)
    if grid.requires_grad:
        raise ValueError("the places of samples have no gradient of a fixed order on a GPU")
    return Samples.apply(image, grid)


class Samples(torch.autograd.Function):
    """Bilinear sampling whose backward pass handles the four corners of all squares one after another."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, grid: Tensor) -> Tensor:
        """Sample as torch does, whose forward pass is deterministic."""
        ctx.save_for_backward(grid)
        ctx.shape, ctx.dtype = image.shape, image.dtype
        return F.grid_sample(image, grid, padding_mode="zeros", align_corners=True)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Add the gradient of each sample to the four pixels around it; `index_add` is deterministic if asked to be."""
        (grid,) = ctx.saved_tensors
        batch, channels, height, width = ctx.shape
        x, y = (grid[..., 0] + 1) / 2 * (width - 1), (grid[..., 1] + 1) / 2 * (height - 1)  # (B, H', W')
        first = torch.arange(batch, device=grid.device)[:, None, None] * (height * width)
        values = gradient.movedim(1, -1).flatten(0, 2)  # (B·H'·W', C)
        total = values.new_zeros(batch * height * width, channels)
        for row in (y.floor(), y.floor() + 1):
            for column in (x.floor(), x.floor() + 1):
                inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
                # A position far outside, or NaN, must give no index and pass no gradient on.
                share = torch.where(inside, (1 - (y - row).abs()) * (1 - (x - column).abs()), 0)
                pixel = torch.where(inside, row * width + column, 0).long() + first
                total = total.index_add(0, pixel.flatten(), share.flatten()[:, None].to(values) * values)
        return total.unflatten(0, (batch, height, width)).movedim(-1, 1).to(ctx.dtype), None
