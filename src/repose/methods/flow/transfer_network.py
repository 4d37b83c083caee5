"""Pose transfer of person images: frozen flow, generator, and a mask that blends in the warped source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn

from repose.images.classes import BACKGROUND
from repose.methods.flow.flow_network import decided, flow_net
from repose.methods.flow.generator import DualUNetGenerator, PixelWarp, UNetGenerator
from repose.methods.flow.layers import scale_down_heads
from repose.methods.flow.poses import PoseMaps
from repose.methods.interface import GeneratedImage, ImageNetwork


class FlowTransfer(nn.Module, ImageNetwork):
    """Flow net, generator and mask: 49,577,745 parameters as published at 256² with `faithful`, 775,744 more without.

    The arguments are those of `repose.methods.flow.settings.FlowTransferSettings`. Parts of it are frozen: the flow net
    always, the generator where a mask is trained on top.
    """

    def __init__(
        self,
        generator: str,
        width: int,
        widest: int,
        levels: int,
        warped_levels: int,
        gate: str,
        pixel_warp: bool,
        flow_network: Mapping[str, Any] | None,
        joints: str,
        radius: float,
        faithful: bool = False,
    ):
        super().__init__()
        self.poses, self.faithful = PoseMaps(joints, radius), faithful
        self.flow = flow_net(**flow_network).requires_grad_(False) if flow_network else None
        self.generator: UNetGenerator | DualUNetGenerator
        if generator == "unet":
            self.generator = UNetGenerator(width, widest, levels, faithful)
        else:
            self.generator = DualUNetGenerator(width, widest, levels, warped_levels, gate, faithful)
        self.blend = PixelWarp(width, widest, levels) if pixel_warp else None
        self.generator.requires_grad_(not pixel_warp)
        if not faithful:
            scale_down_heads(self.generator.head)
            if self.blend is not None:
                scale_down_heads(self.blend.mask[-1])
        self.train()  # modules start in training mode; the call sets the mode of every part

    def train(self, mode: bool = True) -> Self:
        """Set training mode for the parts that learn; frozen parts use running statistics, except if `faithful`."""
        super().train(mode)
        if self.blend is not None:
            self.generator.eval()
        if self.faithful:
            for norm in (m for m in self.modules() if isinstance(m, nn.BatchNorm2d)):
                norm.train()
        if self.flow is not None:
            self.flow.eval()
        return self

    def forward(
        self,
        image: Tensor,  # (B, 3, H, W) source in [-1, 1]
        source_joints: Tensor,  # (B, 18, 3) x, y in pixels, seen
        target_joints: Tensor,  # (B, 18, 3)
    ) -> GeneratedImage:
        """Draw the source's person in the target's pose."""
        height, width = image.shape[2:]
        pose = self.poses(target_joints, (height, width))
        flow = visibility = share = None
        if self.flow is not None:
            with torch.no_grad():
                found = self.flow(self.poses(source_joints, (height, width)), pose)
                flow, visibility = decided(found)
                if self.faithful:
                    flow = flow * (visibility < BACKGROUND)
        generated = self.generator(image, pose, flow, visibility)
        if self.blend is not None:
            generated, share = self.blend(generated, image, flow, visibility)
        return GeneratedImage(generated, flow, visibility, share)
