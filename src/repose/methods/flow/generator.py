"""Generators: from the source image, the target's pose and the flow between them to the target image."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from repose.images.classes import BACKGROUND
from repose.methods.flow.gates import GATES
from repose.methods.flow.layers import Decoder, Encoder, head, initialise, ladder, normalised, pointwise
from repose.methods.flow.regression import JOINTS
from repose.methods.flow.warp import coarse_flow, coarse_visibility, warp

_FAR = 0.995  # tanh of 3: less than a grey value from black or white
# share of the incoming gradient; 0, 0.1 and 0.5 learned equally well in the short training of the tests
_PULL = 0.3


class Recoverable(torch.autograd.Function):
    """The hyperbolic tangent, with a gradient that brings back pixels far beyond black or white.

    Without it, a pixel that one step has pushed there stays there: discs around joints of the target came out black, as
    their features are rare and therefore scaled most by batch norm.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Bound x between -1 and 1."""
        y = torch.tanh(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Return the gradient of tanh, plus a share of the incoming gradient where that leads back."""
        (y,) = ctx.saved_tensors
        lost = (y.abs() > _FAR) & (y * gradient > 0)
        return gradient * (1 - y.square() + _PULL * lost)


class Trunk(nn.Module):
    """An encoder and a decoder with skips, without a head: (B, inputs, H, W) to (B, width, H, W)."""

    def __init__(self, inputs: int, width: int, widest: int, levels: int):
        super().__init__()
        channels = ladder(width, widest, levels)
        self.stem = pointwise(inputs, width)
        self.encoder, self.decoder = Encoder(channels), Decoder(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features of every pixel."""
        return self.decoder(*self.encoder(self.stem(x)))[0]


class UNetGenerator(nn.Module):
    """A U-Net for image and pose, without warping; 8,360,451 parameters with 7 levels, 5,046,787 with 5.

    Args:
        width: channels at full resolution, and channels that each level adds.
        widest: upper limit of the channels.
        levels: number of levels; the sides of an image must be multiples of 2^levels.
        faithful: as released, pixels beyond black or white have no gradient (see `Recoverable`).
    """

    def __init__(self, width: int = 32, widest: int = 128, levels: int = 7, faithful: bool = False):
        super().__init__()
        self.trunk, self.head = Trunk(3 + JOINTS, width, widest, levels), head(width, 3)
        self.bounded = torch.tanh if faithful else Recoverable.apply
        initialise(self)

    def forward(
        self,
        image: Tensor,  # (B, 3, H, W) source in [-1, 1]
        pose: Tensor,  # (B, 18, H, W) pose map of the target
        flow: Tensor | None = None,  # not used
        visibility: Tensor | None = None,  # not used
    ) -> Tensor:  # (B, 3, H, W) in [-1, 1]
        """Draw the target."""
        return self.bounded(self.head(self.trunk(torch.cat([image, pose], dim=1))))


class DualUNetGenerator(nn.Module):
    """An encoder for the pose and one for the source's appearance, whose skips are warped to the target's pose.

    At 7 levels 9,993,795 parameters with gate `none` or `hard-gate`, 10,183,107 `soft-gate`, 11,881,539 `residual`,
    10,843,459 `residual-without-visibility`; 775,744 more unless the Downs are shared.

    Args:
        width, widest, levels: as of `UNetGenerator`.
        warped_levels: number of levels whose features are warped, finest first; 0: none.
        gate: the gate on warped features, see `gates`.
        faithful: both encoders halve the resolution by the same weights, as released, and pixels beyond black or white
            have no gradient (see `Recoverable`).
    """

    def __init__(
        self,
        width: int = 32,
        widest: int = 128,
        levels: int = 7,
        warped_levels: int = 5,
        gate: str = "residual",
        faithful: bool = False,
    ):
        super().__init__()
        channels = ladder(width, widest, levels)
        self.pose_stem, self.image_stem = pointwise(JOINTS, width), pointwise(3, width)
        self.pose_encoder = Encoder(channels)
        self.image_encoder = Encoder(channels, self.pose_encoder.downs if faithful else None)
        self.gates = nn.ModuleList(
            GATES[gate](before) for before in channels[:warped_levels] for _ in range(2)
        )
        self.warped_levels = warped_levels
        self.bottleneck = pointwise(2 * channels[-1], channels[-1])
        self.decoder, self.head = Decoder(channels, sides=2), head(width, 3)
        self.bounded = torch.tanh if faithful else Recoverable.apply
        initialise(self)

    def forward(
        self,
        image: Tensor,  # (B, 3, H, W) source in [-1, 1]
        pose: Tensor,  # (B, 18, H, W) pose map of the target
        flow: Tensor,  # (B, 2, H, W) pixels
        visibility: Tensor,  # (B, 1, H, W) classes 0, 1, 2
    ) -> Tensor:  # (B, 3, H, W) in [-1, 1]
        """Draw the target."""
        deep_pose, poses = self.pose_encoder(self.pose_stem(pose))
        deep_image, images = self.image_encoder(self.image_stem(image))
        sides: list[tuple[Tensor, ...]] = []
        for level, (of_pose, of_image) in enumerate(zip(poses, images, strict=True)):
            if level < self.warped_levels:
                of_image = self._warped(of_image, flow, visibility, level)
            sides.append(tuple(torch.cat(pair, dim=1) for pair in zip(of_pose, of_image, strict=True)))
        features = self.decoder(self.bottleneck(torch.cat([deep_pose, deep_image], dim=1)), sides)
        return self.bounded(self.head(features[0]))

    def _warped(
        self, features: tuple[Tensor, Tensor], flow: Tensor, visibility: Tensor, level: int
    ) -> tuple[Tensor, ...]:
        way, seen = coarse_flow(flow, level), coarse_visibility(visibility, level)
        return tuple(self.gates[2 * level + k](warp(x, way), seen) for k, x in enumerate(features))


class PixelWarp(nn.Module):
    """Blends the generator's image with the warped source. 8,358,017 parameters with 7 levels, 5,044,353 with 5."""

    def __init__(self, width: int = 32, widest: int = 128, levels: int = 7):
        super().__init__()
        self.trunk = Trunk(3 + 3 + 1 + 2, width, widest, levels)
        self.mask = nn.Sequential(pointwise(width, width), nn.ReLU(), head(width, 1))
        initialise(self)

    def forward(
        self,
        generated: Tensor,  # (B, 3, H, W) output of the generator
        source: Tensor,  # (B, 3, H, W) source image
        flow: Tensor,  # (B, 2, H, W) pixels
        visibility: Tensor,  # (B, 1, H, W) classes
    ) -> tuple[Tensor, Tensor]:
        """Return the blend (B, 3, H, W) and the share of the warped source in it (B, 1, H, W)."""
        warped = warp(source, flow)
        seen = torch.where(visibility == BACKGROUND, torch.full_like(warped, -1.0), warped)
        inputs = [generated, seen, visibility.to(generated.dtype), flow * (visibility < BACKGROUND)]
        share = torch.sigmoid(self.mask(self.trunk(torch.cat(inputs, dim=1))))
        return share * seen + (1 - share) * generated, share


class Discriminator(nn.Module):
    """A discriminator of image patches, given source and pose: logits (B, 1, H/8 - 2, W/8 - 2); 2,787,137 parameters.

    Args:
        width: channels of its first layer; 64 as published.
    """

    def __init__(self, width: int = 64):
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3 + 3 + JOINTS, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for inputs, channels, stride in ((1, 2, 2), (2, 4, 2), (4, 8, 1)):
            conv = nn.Conv2d(inputs * width, channels * width, 4, stride, 1, bias=False)
            layers += [normalised(conv, channels * width), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))
        initialise(self)

    def forward(
        self,
        source: Tensor,  # (B, 3, H, W)
        image: Tensor,  # (B, 3, H, W) real or generated
        pose: Tensor,  # (B, 18, H, W) of the target
    ) -> Tensor:
        """Return logits, which are positive for real patches."""
        return self.layers(torch.cat([source, image, pose], dim=1))
