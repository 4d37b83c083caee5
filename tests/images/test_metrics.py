"""Measures of images beside plain loops, in float64."""

import numpy as np
import pytest
import torch

from repose.images import metrics


def images(seed=0, height=16, width=13):
    rng = np.random.default_rng(seed)
    one = rng.integers(0, 256, (2, height, width, 3)).astype(float)
    return one, np.clip(one + rng.normal(0, 30, one.shape), 0, 255)


def plain_ssim_map(a, b, weights, unbiased, span):
    """SSIM of one channel at every whole window, from its definition (Wang et al., 2004, equation 13)."""
    size = len(weights)
    window = np.outer(weights, weights)
    out = np.empty((a.shape[0] - size + 1, a.shape[1] - size + 1))
    for y, x in np.ndindex(*out.shape):
        p, q = a[y : y + size, x : x + size], b[y : y + size, x : x + size]
        mp, mq = (window * p).sum(), (window * q).sum()
        pp, qq = unbiased * (window * (p - mp) ** 2).sum(), unbiased * (window * (q - mq) ** 2).sum()
        pq = unbiased * (window * (p - mp) * (q - mq)).sum()
        c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
        out[y, x] = (2 * mp * mq + c1) * (2 * pq + c2) / ((mp**2 + mq**2 + c1) * (pp + qq + c2))
    return out


def tensors(*arrays):
    return [torch.from_numpy(a) for a in arrays]


def test_ssim_with_equal_weights():
    a, b = images()
    plain = np.stack([[plain_ssim_map(a[i, ..., c], b[i, ..., c], np.full(7, 1 / 7), 49 / 48, 255)
                       for c in range(3)] for i in range(2)])  # fmt: skip
    assert metrics.ssim_u7(*tensors(a, b)).numpy() == pytest.approx(plain.mean(axis=(1, 2, 3)), abs=1e-10)
    mask = np.zeros(a.shape[:3], bool)
    mask[0, 5:9, 4:7] = True
    ours = metrics.masked_ssim_u7(*tensors(a, b, mask)).numpy()
    assert ours[0] == pytest.approx(plain[0].mean(axis=0)[2:6, 1:4].mean()) and np.isnan(ours[1])


def test_ssim_with_gaussian_weights_and_the_range_of_the_first_image():
    a, b = images(1)
    a = a / 2 + 20
    weights = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    plain = [
        np.mean(
            [
                plain_ssim_map(a[i, ..., c], b[i, ..., c], weights / weights.sum(), 1, np.ptp(a[i]))
                for c in range(3)
            ]
        )
        for i in range(2)
    ]
    assert metrics.ssim_g15(*tensors(a, b)).numpy() == pytest.approx(np.array(plain), abs=1e-10)


def test_the_two_protocols_differ():
    a, b = tensors(*images(2))
    assert (metrics.ssim_u7(a, b) - metrics.ssim_g15(a, b)).abs().max() > 0.005
    assert metrics.ssim_u7(a, a).tolist() == pytest.approx([1, 1])


def test_psnr_and_absolute_error():
    a, b = images(3)
    plain = [20 * np.log10(255 / np.sqrt(((a[i] - b[i]) ** 2).mean())) for i in range(2)]
    assert metrics.psnr_db(*tensors(a, b)).numpy() == pytest.approx(np.array(plain))
    assert metrics.psnr_db(*tensors(a, a)).tolist() == [100, 100]
    assert metrics.mean_absolute(*tensors(a, b))[0] == pytest.approx(np.abs(a - b)[0].mean() / 255)


def test_end_point_error_in_a_mask():
    rng = np.random.default_rng(4)
    flow, truth, mask = (
        rng.normal(size=(2, 4, 5, 2)),
        rng.normal(size=(2, 4, 5, 2)),
        rng.random((2, 4, 5)) < 0.5,
    )
    plain = [np.linalg.norm(flow[i] - truth[i], axis=-1)[mask[i]].mean() for i in range(2)]
    assert metrics.end_point_error_px(*tensors(flow, truth, mask)).numpy() == pytest.approx(np.array(plain))


def test_iou_is_a_mean_over_the_classes_that_are_there():
    truth = torch.tensor([[[0, 0, 1, 1]]])
    found = torch.tensor([[[0, 1, 1, 1]]])
    assert float(metrics.visibility_iou(found, truth)[0]) == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_warp_psnr_looks_at_visible_pixels_only():
    source = images(5, 8, 8)[0]
    flow = np.zeros((2, 8, 8, 2))
    flow[..., 0] = 1
    target = np.roll(source, -1, axis=2)
    visible = np.ones((2, 8, 8))
    visible[:, :, -1] = 0
    assert metrics.warp_psnr_db(*tensors(source, flow, target, visible)).tolist() == [100, 100]
    target[0, 0, 0] += 51
    plain = 10 * np.log10(255**2 / (51**2 / 56))
    assert float(metrics.warp_psnr_db(*tensors(source, flow, target, visible))[0]) == pytest.approx(plain)
