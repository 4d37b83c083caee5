"""The gradient of samples that goes back in a fixed order is that of torch's own."""

import pytest
import torch
from torch.nn import functional as F

from repose.methods.layers.fixed_order import Samples, _mirrored


@pytest.fixture
def places():
    """Samples inside, on the border, between the last pixel and nothing, far outside, and nowhere."""
    torch.manual_seed(0)
    grid = torch.rand(2, 5, 6, 2, dtype=torch.float64) * 2.6 - 1.3
    grid[0, 0, :4] = torch.tensor([[-1, -1], [1, 1], [1.05, 0.3], [1e9, -1e9]], dtype=torch.float64)
    return grid


def test_samples_and_their_gradient_are_those_of_grid_sample(places):
    image = torch.randn(2, 3, 7, 4, dtype=torch.float64, requires_grad=True)
    ours = Samples.apply(image, places)
    plain = F.grid_sample(image, places, padding_mode="zeros", align_corners=True)
    assert torch.equal(ours, plain)
    weights = torch.randn_like(plain)
    (wanted,) = torch.autograd.grad(plain, image, weights)
    (found,) = torch.autograd.grad(ours, image, weights)
    assert found.dtype == image.dtype and wanted.abs().max() > 1
    assert torch.allclose(found, wanted, rtol=0, atol=1e-12)


def test_a_place_that_is_not_a_number_hands_on_nothing():
    image = torch.ones(1, 1, 4, 4, requires_grad=True)
    grid = torch.full((1, 1, 1, 2), torch.nan)
    (found,) = torch.autograd.grad(Samples.apply(image, grid).sum(), image)
    assert torch.equal(found, torch.zeros_like(image))


def test_mirrored_borders_are_those_of_reflection_padding():
    image = torch.randn(2, 3, 6, 5, dtype=torch.float64, requires_grad=True)
    ours = _mirrored(_mirrored(image, 3, 1, -1), 2, 4, -2)
    plain = F.pad(image, (3, 1, 2, 4), mode="reflect")
    assert torch.equal(ours, plain)
    weights = torch.randn_like(plain)
    (wanted,), (found,) = (torch.autograd.grad(out, image, weights) for out in (plain, ours))
    assert torch.allclose(found, wanted, rtol=0, atol=1e-12)
