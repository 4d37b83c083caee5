"""Warping by a flow, and flow and visibility at lower resolutions.

A flow (B, 2, H, W) lies on the target's grid: the pixel (x, y) shows the source at (x + u, y + v), in pixels of the
full resolution. Pixel (i, j) is centred at (i, j).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from repose.methods.layers.fixed_order import sample


def warp(
    image: Tensor,  # (B, C, H, W) of the source
    flow: Tensor,  # (B, 2, H, W) pixels of this grid
) -> Tensor:  # (B, C, H, W)
    """Sample the source bilinearly at the positions that the flow gives; the value outside the image is 0."""
    height, width = image.shape[2:]
    xs = torch.arange(width, device=image.device, dtype=flow.dtype)
    ys = torch.arange(height, device=image.device, dtype=flow.dtype)
    # With align_corners, -1 and 1 are the centres of the first and the last pixel.
    x = 2 * (xs[None, None, :] + flow[:, 0]) / (width - 1) - 1
    y = 2 * (ys[None, :, None] + flow[:, 1]) / (height - 1) - 1
    return sample(image, torch.stack([x, y], dim=-1))


def coarse_flow(
    flow: Tensor,  # (B, 2, H, W)
    level: int,
) -> Tensor:  # (B, 2, H/2^level, W/2^level)
    """Return the mean flow of each square of 2^level pixels, in pixels of the coarse grid."""
    return F.avg_pool2d(flow, 2**level) / 2**level if level else flow


def coarse_visibility(
    visibility: Tensor,  # (B, 1, H, W) classes 0, 1, 2
    level: int,
) -> Tensor:  # (B, 1, H/2^level, W/2^level)
    """Return the lowest class of each square: visible before invisible before background."""
    return -F.max_pool2d(-visibility, 2**level) if level else visibility
