"""What the generator makes of a warped feature and the visibility of its pixels: one module per warped feature.

Each takes (warped (B, C, H, W), visibility (B, 1, H, W) classes 0, 1, 2) and returns (B, C, H, W).
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
    """The visible part and the invisible part of a feature side by side, (B, 2C, H, W); the background is 0 in both."""
    return torch.cat([warped * (visibility == VISIBLE), warped * (visibility == HIDDEN)], dim=1)


class NoGate(nn.Module):
    """The feature as it is."""

    def __init__(self, channels: int):
        super().__init__()

    def forward(self, warped: Tensor, visibility: Tensor) -> Tensor:
        """See the module."""
        return warped


class HardGate(NoGate):
    """0 on the background."""

    def forward(self, warped: Tensor, visibility: Tensor) -> Tensor:
        """See the module."""
        return warped * (visibility < BACKGROUND)


class SoftGate(nn.Module):
    """A learned share of each value."""

    def __init__(self, channels: int):
        super().__init__()
        self.share = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, warped: Tensor, visibility: Tensor) -> Tensor:
        """See the module."""
        return warped * torch.sigmoid(self.share(F.relu(split_by_visibility(warped, visibility))))


class Residual(nn.Module):
    """A ResBlock that sees which part is visible, or one that does not."""

    def __init__(self, channels: int, blind: bool = False):
        super().__init__()
        self.blind = blind
        self.block = ResBlock(channels, 0 if blind else 2 * channels)

    def forward(self, warped: Tensor, visibility: Tensor) -> Tensor:
        """See the module."""
        return self.block(warped, None if self.blind else split_by_visibility(warped, visibility))


GATES: dict[str, Callable[[int], nn.Module]] = {
    "none": NoGate,
    "hard-gate": HardGate,
    "soft-gate": SoftGate,
    "residual": Residual,
    "residual-without-visibility": partial(Residual, blind=True),
}
