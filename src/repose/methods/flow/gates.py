"""Gates of the generator: what it makes of a warped feature, given the visibility of the pixels.

There is one module for each warped feature. Each takes (warped (B, C, H, W), visibility (B, 1, H, W) with classes 0, 1,
2) and returns (B, C, H, W).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.images.classes import BACKGROUND, HIDDEN, VISIBLE
from repose.methods.flow.layers import ResBlock


def split_by_visibility(warped: Tensor, visibility: Tensor) -> Tensor:
    """Return the visible and the invisible part of a feature, joined: (B, 2C, H, W); the background is 0."""
    return torch.cat([warped * (visibility == VISIBLE), warped * (visibility == HIDDEN)], dim=1)


class NoGate(nn.Module):
    """Passes the feature on unchanged."""

    def __init__(self, channels: int):
        super().__init__()

    def forward(self, warped: Tensor, visibility: Tensor) -> Tensor:
        """Return the warped feature unchanged."""
        return warped


class HardGate(NoGate):
    """Sets the feature to 0 on the background."""

    def forward(self, warped: Tensor, visibility: Tensor) -> Tensor:
        """Return the warped feature, 0 on the background."""
        return warped * (visibility < BACKGROUND)


class SoftGate(nn.Module):
    """Scales each value by a learned share between 0 and 1."""

    def __init__(self, channels: int):
        super().__init__()
        self.share = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, warped: Tensor, visibility: Tensor) -> Tensor:
        """Return the warped feature times the learned share of each value."""
        return warped * torch.sigmoid(self.share(F.relu(split_by_visibility(warped, visibility))))


class Residual(nn.Module):
    """A ResBlock on the feature, which sees the visible and the invisible part unless `blind`."""

    def __init__(self, channels: int, blind: bool = False):
        super().__init__()
        self.blind = blind
        self.block = ResBlock(channels, 0 if blind else 2 * channels)

    def forward(self, warped: Tensor, visibility: Tensor) -> Tensor:
        """Return the output of the ResBlock."""
        return self.block(warped, None if self.blind else split_by_visibility(warped, visibility))


GATES: dict[str, Callable[[int], nn.Module]] = {
    "none": NoGate,
    "hard-gate": HardGate,
    "soft-gate": SoftGate,
    "residual": Residual,
    "residual-without-visibility": partial(Residual, blind=True),
}
