"""Blocks that the flow nets and the generators are made of."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.methods.layers.fixed_order import ReflectionPad


def normalised(conv: nn.Module, channels: int) -> nn.Sequential:
    """Return a convolution without bias, followed by batch norm."""
    return nn.Sequential(conv, nn.BatchNorm2d(channels))


def pointwise(inputs: int, channels: int) -> nn.Sequential:
    """Return a 1×1 convolution, followed by batch norm."""
    return normalised(nn.Conv2d(inputs, channels, 1, bias=False), channels)


def ladder(width: int, widest: int, levels: int) -> list[int]:
    """Return the channels before each level and after the last one: `width` more at each level, up to `widest`."""
    return [min(width * (level + 1), widest) for level in range(levels + 1)]


class ResBlock(nn.Module):
    """Residual block x + BN(Conv3×3(ReLU([x, a]))); the side input a, if any, is mapped to the channels of x."""

    def __init__(self, channels: int, side: int = 0):
        super().__init__()
        self.side = pointwise(side, channels) if side else None
        joined = 2 * channels if side else channels
        self.conv = normalised(nn.Conv2d(joined, channels, 3, padding=1, bias=False), channels)

    def forward(
        self,
        x: Tensor,  # (B, C, H, W)
        side: Tensor | None = None,  # (B, C_side, H, W)
    ) -> Tensor:  # (B, C, H, W)
        """Return `x` plus the output of the block."""
        if self.side is None:
            return x + self.conv(F.relu(x))
        assert side is not None
        return x + self.conv(F.relu(torch.cat([x, self.side(F.relu(side))], dim=1)))


class Down(nn.Module):
    """Halves the resolution: ReLU, Conv3×3 of stride 2, batch norm."""

    def __init__(self, inputs: int, channels: int):
        super().__init__()
        self.conv = normalised(nn.Conv2d(inputs, channels, 3, 2, 1, bias=False), channels)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) to (B, C', H/2, W/2)
        """Halve the resolution."""
        return self.conv(F.relu(x))


class Up(nn.Module):
    """Doubles the resolution: ReLU, Conv3×3, pixel shuffle, batch norm."""

    def __init__(self, inputs: int, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, 4 * channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) to (B, C', 2H, 2W)
        """Double the resolution."""
        return self.norm(F.pixel_shuffle(self.conv(F.relu(x)), 2))


def head(inputs: int, channels: int) -> nn.Sequential:
    """Return reflection padding and a 7×7 convolution with bias."""
    return nn.Sequential(ReflectionPad(3), nn.Conv2d(inputs, channels, 7))


class Encoder(nn.Module):
    """An encoder with two ResBlocks and a Down per level, which keeps the output of each ResBlock.

    Args:
        channels: numbers of channels before each level and after the last.
        downs: the Downs of another encoder to share, as the released generator does.
    """

    def __init__(self, channels: Sequence[int], downs: nn.ModuleList | None = None):
        super().__init__()
        self.first, self.second = (
            nn.ModuleList(ResBlock(before) for before in channels[:-1]) for _ in range(2)
        )
        steps = itertools.pairwise(channels)
        self.downs = nn.ModuleList(Down(before, after) for before, after in steps) if downs is None else downs

    def forward(self, x: Tensor) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:  # x: (B, C, H, W)
        """Return the deepest features, and for each level, finest first, the outputs of its two ResBlocks."""
        kept = []
        for first, second, down in zip(self.first, self.second, self.downs, strict=True):
            a = first(x)
            b = second(a)
            kept.append((a, b))
            x = down(b)
        return x, kept


class Decoder(nn.Module):
    """A decoder with an Up and two ResBlocks per level, deepest first.

    The first ResBlock gets the output of the encoder's second one as side input, and the second that of the first.

    Args:
        channels: as of the encoder.
        sides: number of encoder features that each ResBlock sees beside its input.
    """

    def __init__(self, channels: Sequence[int], sides: int = 1):
        super().__init__()
        self.ups = nn.ModuleList(Up(after, before) for before, after in itertools.pairwise(channels))
        self.first, self.second = (
            nn.ModuleList(ResBlock(before, sides * before) for before in channels[:-1]) for _ in range(2)
        )

    def forward(self, x: Tensor, kept: Sequence[tuple[Tensor, Tensor]]) -> list[Tensor]:
        """Return the features of every level, finest first."""
        found: list[Tensor] = []
        for level in reversed(range(len(self.ups))):
            a, b = kept[level]
            x = self.second[level](self.first[level](self.ups[level](x), b), a)
            found.insert(0, x)
        return found


def initialise(network: nn.Module) -> None:
    """Initialise as released: weights of convolutions N(0, 2 / fan in), of batch norms N(1, 0.02²), biases 0.

    Draws from torch's global generator.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, a=0, mode="fan_in")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def scale_down_heads(*heads: nn.Module) -> None:
    """Scale the initial weights of the heads down to a tenth.

    The released initial weights saturate the image and make the flow of an untrained network larger than most people
    move; a short training spends half its steps on undoing that.
    """
    for part in heads:
        for conv in (m for m in part.modules() if isinstance(m, nn.Conv2d)):
            with torch.no_grad():
                conv.weight.mul_(0.1)
