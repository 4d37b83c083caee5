"""Similarity of two images, and errors of a flow.

Images are (B, H, W, 3) with values 0 … 255; a measure has one number per image, or NaN if nothing is measured. SSIM
comes in the two protocols that are mixed in the literature, which give different numbers for the same pair.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

_K1, _K2 = 0.01, 0.03
_MOST_DB = 100.0  # the PSNR of equal images
CLASSES = 3  # visible, invisible, background


def ssim_u7_map(image: Tensor, truth: Tensor) -> Tensor:  # (B, H, W, 3) each to (B, H - 6, W - 6, 3)
    """Return the SSIM of each window of 7×7 pixels with equal weights, sample covariance and range 255.

    scikit-image computes this by default, and so does the released evaluation (Wang et al., 2004).
    """
    weights = torch.full((7,), 1 / 7, dtype=image.dtype, device=image.device)
    return _ssim_map(
        image, truth, weights, 49 / 48, torch.full((), 255.0, dtype=image.dtype, device=image.device)
    )


def ssim_u7(image: Tensor, truth: Tensor) -> Tensor:  # (B,)
    """Return the mean of `ssim_u7_map`."""
    return ssim_u7_map(image, truth).mean(dim=(1, 2, 3))


def ssim_g15(image: Tensor, truth: Tensor) -> Tensor:  # (B,)
    """Return the SSIM with Gaussian weights (sigma 1.5, 11×11), population covariance and the first image's range.

    Deformable GAN, PATN and later work that compares with them evaluate in this way.
    """
    places = torch.arange(-5, 6, dtype=image.dtype, device=image.device)
    weights = torch.exp(-0.5 * (places / 1.5) ** 2)
    span = image.amax(dim=(1, 2, 3)) - image.amin(dim=(1, 2, 3))
    span = torch.where(span > 0, span, torch.full_like(span, 255.0))
    found = _ssim_map(image, truth, weights / weights.sum(), 1.0, span[:, None, None, None])
    return found.mean(dim=(1, 2, 3))


def masked_ssim_u7(image: Tensor, truth: Tensor, mask: Tensor) -> Tensor:  # mask: (B, H, W) bool; to (B,)
    """Return the mean of `ssim_u7_map` over windows whose centre is in the mask; NaN for an empty mask."""
    inner = mask[:, 3:-3, 3:-3].to(image.dtype)
    found = (ssim_u7_map(image, truth).mean(dim=-1) * inner).sum(dim=(1, 2))
    return found / inner.sum(dim=(1, 2))


def cut_ssim_u7(image: Tensor, truth: Tensor, mask: Tensor) -> Tensor:  # mask: (B, H, W) bool; to (B,)
    """Return `ssim_u7` of both whole images, black outside the mask, as in the evaluation on Market-1501."""
    kept = mask[..., None].to(image.dtype)
    return ssim_u7(image * kept, truth * kept)


def surprise_nats(logits: Tensor) -> Tensor:  # (N, K); to (N,)
    """Return the KL divergence of the classes of each image from those of all images together.

    The Inception score (Salimans et al., 2016) of one split is the exponential of the mean.
    """
    each = torch.log_softmax(logits, dim=1)
    all_together = torch.logsumexp(each, dim=0) - math.log(len(each))
    return (each.exp() * (each - all_together)).sum(dim=1)


def recall_at(logits: Tensor, truth: Tensor, k: int) -> Tensor:  # (N, A), (N, A) of 0 and 1; to (N,)
    """Return the share of the true attributes that are among the k likeliest."""
    found = torch.zeros_like(truth).scatter(1, logits.topk(k, dim=1).indices, 1)
    return (found * truth).sum(dim=1) / truth.sum(dim=1)


def psnr_db(image: Tensor, truth: Tensor) -> Tensor:  # (B,)
    """Return the peak signal-to-noise ratio, at most 100 dB, which equal images get."""
    return _decibel((image - truth).square().mean(dim=(1, 2, 3)))


def mean_absolute(image: Tensor, truth: Tensor) -> Tensor:  # (B,)
    """Return the mean absolute difference as a share of the whole range."""
    return (image - truth).abs().mean(dim=(1, 2, 3)) / 255


def end_point_error_px(flow: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Return the mean length of the difference of flows (B, H, W, 2), pixels, in a mask (B, H, W), or NaN."""
    distance = (flow - truth).square().sum(dim=-1).sqrt()
    return (distance * mask).sum(dim=(1, 2)) / mask.sum(dim=(1, 2))


def visibility_iou(found: Tensor, truth: Tensor) -> Tensor:  # (B, H, W) classes; to (B,)
    """Return the intersection over union of the classes, averaged over those that either map has."""
    shares = []
    for number in range(CLASSES):
        a, b = found == number, truth == number
        shares.append((a & b).sum(dim=(1, 2)) / (a | b).sum(dim=(1, 2)))
    return torch.stack(shares).nanmean(dim=0)


def warp_psnr_db(source: Tensor, flow: Tensor, target: Tensor, visible: Tensor) -> Tensor:
    """Return the PSNR of the source (B, H, W, 3), sampled bilinearly at flow (B, H, W, 2), on truly visible pixels.

    It is NaN if no pixel (B, H, W) is visible.
    """
    height, width = source.shape[1:3]
    xs, ys = torch.arange(width, dtype=flow.dtype), torch.arange(height, dtype=flow.dtype)
    x, y = xs + flow[..., 0], ys[:, None] + flow[..., 1]
    grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=-1)
    warped = F.grid_sample(source.movedim(-1, 1), grid, align_corners=True).movedim(1, -1)
    squares = (warped - target).square().mean(dim=-1)
    return _decibel((squares * visible).sum(dim=(1, 2)) / visible.sum(dim=(1, 2)))


def _decibel(mean_square: Tensor) -> Tensor:
    return (10 * torch.log10(255**2 / mean_square)).clamp(max=_MOST_DB)


def _ssim_map(image: Tensor, truth: Tensor, weights: Tensor, unbiased: float, span: Tensor) -> Tensor:
    means = [_filtered(x, weights) for x in (image, truth, image * image, truth * truth, image * truth)]
    a, b, aa, bb, ab = means
    c1, c2 = (_K1 * span) ** 2, (_K2 * span) ** 2
    covariance = unbiased * (ab - a * b)
    spread = unbiased * (aa - a * a + bb - b * b)
    return (2 * a * b + c1) * (2 * covariance + c2) / ((a * a + b * b + c1) * (spread + c2))


def _filtered(x: Tensor, weights: Tensor) -> Tensor:  # (B, H, W, C), only whole windows
    channels = x.shape[-1]
    row = weights.expand(channels, 1, 1, -1)
    x = F.conv2d(x.movedim(-1, 1), row, groups=channels)
    return F.conv2d(x, row.transpose(2, 3), groups=channels).movedim(1, -1)
