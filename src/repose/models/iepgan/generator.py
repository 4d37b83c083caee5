"""Generator of IEP-GAN: vertices from a pose code, every norm conditioned on a shape code."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from repose.models.iepgan.layers import ConditionalBlock, ConditionalNorm
from repose.models.layers.statistics import instance_norm

_REACH = 2.0  # metres: the output is _REACH * tanh(.), about the bounding-box centre


class Generator(nn.Module):
    """7,291 parameters at the released widths: pose_channels 32, condition 3, width 32.

    Args:
        pose_channels: channels of the pose code.
        condition: channels of the shape code.
        width: channels of the first block; the others have a half and a quarter.
        unit_gain: start with gains about 1, where the released ones start about 0.
    """

    def __init__(self, pose_channels: int, condition: int, width: int = 32, unit_gain: bool = True):
        super().__init__()
        widths = (width, width // 2, width // 4)
        self.convs = nn.ModuleList(
            nn.Linear(i, o) for i, o in zip((pose_channels, *widths), (*widths, 3), strict=True)
        )
        self.blocks = nn.ModuleList(ConditionalBlock(c, condition, instance_norm) for c in widths)
        if unit_gain:
            for module in self.modules():
                if isinstance(module, ConditionalNorm):
                    nn.init.ones_(module.gamma.bias)

    def forward(
        self,
        pose: Tensor,  # (B, N, pose_channels)
        shape: Tensor,  # (B, N or 1, condition)
    ) -> Tensor:
        """Return vertices (B, N, 3), metres, in the order of the pose code."""
        x = self.convs[0](pose)
        for block, conv in zip(self.blocks, self.convs[1:], strict=True):
            x = conv(block(x, shape))
        return _REACH * torch.tanh(x)
