"""Generators of IEP-GAN: vertices from a pose code, every norm conditioned on a shape code."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.methods.iepgan.encoder import PoseCode, ShapeCode
from repose.methods.iepgan.layers import ConditionalBlock, ConditionalNorm
from repose.methods.iepgan.stretch import COMPONENTS, measured_stretch, nearest, stretched

# a typical logarithmic stretch between two bodies: the unit of learned and measured stretches
_TYPICAL = 0.05
_REACH = 2.0  # metres: the released output is _REACH * tanh(.), about the bounding-box centre


class Generator(nn.Module):
    """Stretches the body of the pose code around every vertex, and gives it the size of the identity mesh.

    Untrained it returns the pose mesh in the size of the identity mesh: the stretches begin at zero.

    Args:
        pose_channels, summary, shape: channels of the pose code, of its summary and of the shape code.
        width: channels of the first block; the others have a half and a quarter.
    """

    def __init__(self, pose_channels: int, summary: int, shape: int, width: int = 128):
        super().__init__()
        condition = summary + shape + 1
        self.first, self.convs, self.blocks = _stack(pose_channels + 3 + COMPONENTS, condition, width)
        # The norms of the blocks remove the magnitude of the measured stretches, so the last layer gets them again.
        last = self.convs[-1] = nn.Linear(width // 4 + COMPONENTS, COMPONENTS)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        for module in self.modules():
            if isinstance(module, ConditionalNorm):
                nn.init.ones_(module.gamma.bias)

    def forward(self, pose: PoseCode, shape: ShapeCode) -> Tensor:
        """Return vertices (B, N, 3), metres, in the order of the pose code."""
        # Hundreds of maxima of about 3 each are normalised, or one step of Adam would change every gain completely.
        codes = torch.cat([pose.summary, shape.code], dim=2)
        # Detached: the size estimate must learn from the size of the result alone, or noise from here would change it.
        condition = torch.cat([F.layer_norm(codes, codes.shape[2:]), shape.log_size.detach()], dim=2)
        near = nearest(shape.unit, pose.unit)
        if shape.unit is pose.unit:  # a body needs no stretch against itself
            measured = pose.unit.new_zeros(*pose.unit.shape[:2], COMPONENTS)
        else:
            measured = measured_stretch(shape.unit, pose.unit, near) / _TYPICAL
        x = self.first(torch.cat([pose.code, pose.unit, measured], dim=2))
        for block, conv in zip(self.blocks[:-1], self.convs[:-1], strict=True):
            x = conv(block(x, condition))
        stretch = self.convs[-1](torch.cat([self.blocks[-1](x, condition), measured], dim=2))
        return stretched(pose.unit, stretch, near) * torch.exp(shape.log_size)


class ReleasedGenerator(nn.Module):
    """The released generator: 7,291 parameters at its width of 32."""

    def __init__(self, pose_channels: int = 32, width: int = 32):
        super().__init__()
        self.first, self.convs, self.blocks = _stack(pose_channels, 3, width)

    def forward(
        self,
        pose: Tensor,  # (B, N, pose_channels)
        shape: Tensor,  # (B, N, 3)
    ) -> Tensor:
        """Return vertices (B, N, 3), metres."""
        x = self.first(pose)
        for block, conv in zip(self.blocks, self.convs, strict=True):
            x = conv(block(x, shape))
        return _REACH * torch.tanh(x)


def _stack(inputs: int, condition: int, width: int) -> tuple[nn.Linear, nn.ModuleList, nn.ModuleList]:
    widths = (width, width // 2, width // 4)
    convs = nn.ModuleList(nn.Linear(i, o) for i, o in zip(widths, (*widths[1:], 3), strict=True))
    blocks = nn.ModuleList(ConditionalBlock(c, condition) for c in widths)
    return nn.Linear(inputs, width), convs, blocks
