"""Flow and visibility from two poses: `unet` (like FlowNet) and `unet_v2` (residual)."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.methods.flow.layers import Decoder, Encoder, ResBlock, initialise, ladder, normalised, pointwise

UNIT = 20.0  # pixels of the full resolution per unit of a network's flow, at every level of the pyramid
JOINTS = 18
_WIDEST_UNET = 512  # for every setting of `widest`, as released


class FlowPyramid(NamedTuple):
    """The flow and the visibility that a flow net predicts for the target's pixels.

    Attributes:
        flow: (B, 2, H, W), displacement (x, y) to the source, in pixels.
        visibility: (B, 3, H, W), logits of visible, invisible, background.
        pyramid: (B, 2, H/2^(k+1), W/2^(k+1)), k = 0, 1, …, in `UNIT` pixels of the full resolution.
    """

    flow: Tensor
    visibility: Tensor
    pyramid: list[Tensor]


class FlowNet(nn.Module):
    """The part that both flow nets share: finest flow and visibility are doubled in size, and the flow is in pixels."""

    flow_heads: nn.ModuleList
    visibility_head: nn.Module

    def forward(
        self,
        source: Tensor,  # (B, 18, H, W) pose map of the source
        target: Tensor,  # (B, 18, H, W) pose map of the target
    ) -> FlowPyramid:
        """Return flow and visibility of the target's pixels."""
        features = self.decode(torch.cat([source, target], dim=1))
        # Half precision would round coordinates in the image to whole pixels.
        flows = [_precise(net(x)) for net, x in zip(self.flow_heads, features, strict=True)]
        return FlowPyramid(UNIT * _doubled(flows[0]), _doubled(self.visibility_head(features[0])), flows)

    def decode(self, poses: Tensor) -> list[Tensor]:  # (B, 36, H, W)
        """Features of each level of the pyramid, finest (half the resolution) first."""
        raise NotImplementedError


class UNet(FlowNet):
    """A flow net like FlowNet: 29,338,189 parameters with 5 levels, 16,744,011 with 4.

    Args:
        width: channels of the stem.
        levels: levels of the pyramid; the sides of an image must be multiples of 2^(levels + 1).
        widest: upper limit of the channels; 512 as released.
    """

    def __init__(self, width: int = 32, levels: int = 5, widest: int = _WIDEST_UNET):
        super().__init__()
        self.stem = nn.Sequential(
            normalised(nn.Conv2d(2 * JOINTS, width, 7, padding=3, bias=False), width),
            nn.LeakyReLU(0.1),
            normalised(nn.Conv2d(width, 2 * width, 3, 2, 1, bias=False), 2 * width),
            nn.LeakyReLU(0.1),
        )
        channels = [min(2 * width * 2**level, widest) for level in range(levels + 1)]
        last = levels - 1
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        for level, (outer, inner) in enumerate(itertools.pairwise(channels)):
            down = nn.Conv2d(outer, inner, 4, 2, 1, bias=False)
            self.downs.append(down if level == last else normalised(down, inner))
            joined = inner if level == last else 2 * inner
            up = nn.ConvTranspose2d(joined, outer, 4, 2, 1, bias=level == 0)
            self.ups.append(normalised(up, outer))
        self.flow_heads = nn.ModuleList(_flow_head(outer, nn.LeakyReLU(0.1)) for outer in channels[:-1])
        self.visibility_head = nn.Sequential(nn.LeakyReLU(0.1), nn.Conv2d(channels[0], 3, 3, padding=1))
        initialise(self)

    def decode(self, poses: Tensor) -> list[Tensor]:
        skips: list[Tensor] = []
        x = self.stem(poses)
        for level, down in enumerate(self.downs):
            # The skip connections carry activated features too, because the released activation works in place.
            x = F.leaky_relu(x, 0.2) if level else x
            skips.append(x)
            x = down(x)
        found: list[Tensor] = []
        for level in reversed(range(len(self.ups))):
            up = self.ups[level](F.relu(x))
            found.insert(0, up)
            x = torch.cat([skips[level], up], dim=1)
        return found


class UNetV2(FlowNet):
    """A residual flow net: 6,588,685 parameters with 5 levels, 4,929,547 with 4.

    Args:
        width: channels of the stem, and how many each level adds.
        levels: levels of the pyramid; the sides of an image must be multiples of 2^(levels + 1).
        widest: upper limit of the channels; 128 as released.
    """

    def __init__(self, width: int = 32, levels: int = 5, widest: int = 128):
        super().__init__()
        channels = ladder(width, widest, levels + 1)[1:]
        self.stem = nn.Sequential(
            pointwise(2 * JOINTS, width),
            ResBlock(width),
            nn.ReLU(),
            normalised(nn.Conv2d(width, channels[0], 3, 2, 1, bias=False), channels[0]),
        )
        self.encoder, self.decoder = Encoder(channels), Decoder(channels)
        self.flow_heads = nn.ModuleList(_flow_head(before, nn.ReLU()) for before in channels[:-1])
        self.visibility_head = nn.Sequential(nn.ReLU(), nn.Conv2d(channels[0], 3, 3, padding=1))
        initialise(self)

    def decode(self, poses: Tensor) -> list[Tensor]:
        return self.decoder(*self.encoder(self.stem(poses)))


def _flow_head(channels: int, activation: nn.Module) -> nn.Sequential:
    return nn.Sequential(activation, nn.Conv2d(channels, 2, 3, padding=1))


def _precise(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


NETWORKS: dict[str, type[FlowNet]] = {"unet": UNet, "unet_v2": UNetV2}
