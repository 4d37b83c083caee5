"""Losses of the flow nets and of the generators, and the end-point error."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from repose.images.classes import BACKGROUND, LABELS, VISIBLE
from repose.methods.flow.regression import UNIT
from repose.methods.flow.warp import warp
from repose.methods.layers.fixed_order import pixel_cross_entropy


def pyramid_weights(given: Sequence[float] | None, levels: int) -> list[float]:
    """Return the weights of the levels, finest first: as given, or 0.32 / 2^k as released."""
    if given is None:
        return [0.32 / 2**k for k in range(levels)]
    if len(given) != levels:
        raise ValueError(f"{len(given)} pyramid weights for {levels} levels")
    return list(given)


def flow_loss(
    pyramid: Sequence[Tensor],  # (B, 2, H/2^(k+1), W/2^(k+1)) in `UNIT` pixels
    flow: Tensor,  # (B, 2, H, W) truth in pixels, 0 on the background
    visibility: Tensor,  # (B, 1, H, W) true classes
    weights: Sequence[float],
    error: str = "l2",
    average_zeros: bool = False,
) -> Tensor:
    """Return the weighted sum over the levels of the mean error over the body's pixels.

    Args:
        pyramid, flow, visibility: prediction and truth.
        weights: of the levels, finest first.
        error: `l2`: length of the error; `l1`: mean of the absolute values of its two components.
        average_zeros: whether the truth of a coarse pixel is the mean over its square with the background's zeros, as
            released, or the mean over the body's pixels in the square.
    """
    body = (visibility < BACKGROUND).to(flow.dtype)
    total = flow.new_zeros(())
    for weight, found in zip(weights, pyramid, strict=True):
        square = flow.shape[2] // found.shape[2]
        truth, share = F.avg_pool2d(flow * body / UNIT, square), F.avg_pool2d(body, square)
        if not average_zeros:
            truth = truth / share.clamp(min=1e-6)
        mask = (share > 0).to(flow.dtype)[:, 0]
        wrong = found - truth
        size = _length(wrong) if error == "l2" else wrong.abs().mean(dim=1)
        total = total + weight * _mean_inside(size, mask).mean()
    return total


def part_loss(
    flow: Tensor,  # (B, 2, H, W) predicted, pixels
    truth: Tensor,  # (B, 2, H, W) pixels
    visibility: Tensor,  # (B, 1, H, W) true classes
    source_parts: Tensor,  # (B, H, W) int64 labels, 0 background
    target_parts: Tensor,  # (B, H, W) int64 labels
) -> Tensor:
    """Return the mean error, in `UNIT` pixels, of visible pixels whose flow leads to another part of the body.

    This is the segmentation-sensitive loss of the paper; the mean is over all pixels and both components.
    """
    there = F.one_hot(source_parts, len(LABELS)).movedim(-1, 1).to(flow.dtype)
    met = warp(there, flow.detach()).gather(1, target_parts[:, None])
    astray = (met == 0) & (target_parts[:, None] > 0) & (visibility == VISIBLE)
    return ((flow - truth).abs() * astray).mean() / UNIT


def visibility_loss(
    logits: Tensor,  # (B, 3, H, W)
    visibility: Tensor,  # (B, 1, H, W) true classes
) -> Tensor:
    """Return the mean cross entropy over all pixels."""
    return pixel_cross_entropy(logits, visibility[:, 0])


def end_point_error(
    flow: Tensor,  # (B, 2, H, W)
    truth: Tensor,  # (B, 2, H, W)
    visibility: Tensor,  # (B, 1, H, W) true classes
) -> Tensor:  # (B,)
    """Return the mean length of the error over the body's pixels, in pixels."""
    return _mean_inside(_length(flow - truth), (visibility < BACKGROUND).to(flow.dtype)[:, 0])


def real_loss(logits: Tensor, kind: str) -> Tensor:
    """Return the loss that is small if the logits call everything real; `dcgan`: cross entropy, `lsgan`: squares."""
    return F.softplus(-logits).mean() if kind == "dcgan" else (logits - 1).square().mean()


def fake_loss(logits: Tensor, kind: str) -> Tensor:
    """Return the loss that is small if the logits call everything generated; the kinds are those of `real_loss`."""
    return F.softplus(logits).mean() if kind == "dcgan" else logits.square().mean()


def smoothed_visibility(visibility: Tensor) -> Tensor:  # (B, 1, H, W) classes
    """Return the median of 5×5 pixels on the body and the background unchanged, as the released data loader does."""
    padded = F.pad(visibility, (2, 2, 2, 2), mode="replicate")
    # Sorted, because torch's median along a dimension is not deterministic on a GPU.
    middle = padded.unfold(2, 5, 1).unfold(3, 5, 1).flatten(4).sort(dim=-1).values[..., 12]
    return torch.where(visibility < BACKGROUND, middle, visibility)


def _length(vectors: Tensor) -> Tensor:  # (B, 2, H, W) to (B, H, W)
    # The gradient of a square root at 0 is infinite.
    return (vectors.square().sum(dim=1) + 1e-12).sqrt()


def _mean_inside(values: Tensor, mask: Tensor) -> Tensor:  # (B, H, W) each to (B,)
    return (values * mask).sum(dim=(1, 2)) / mask.sum(dim=(1, 2)).clamp(min=1)
