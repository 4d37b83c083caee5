"""A network that finds the flow and the visibility of the target's pixels from two poses alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from repose.methods.flow.layers import scale_down_heads
from repose.methods.flow.poses import PoseMaps
from repose.methods.flow.regression import NETWORKS, FlowNet, FlowPyramid
from repose.methods.interface import GeneratedImage, ImageNetwork


def flow_net(network: str, width: int, widest: int | None, levels: int) -> FlowNet:
    """Build a flow net from the settings of `repose.methods.flow.settings.FlowNetwork`."""
    limits = {} if widest is None else {"widest": widest}
    return NETWORKS[network](width=width, levels=levels, **limits)


def decided(found: FlowPyramid) -> tuple[Tensor, Tensor]:
    """Return the flow (B, 2, H, W), on the background too, and the likeliest class (B, 1, H, W).

    Where the network wrongly finds background, the flow is still that of the body nearby; zeros there would pull the
    flow of coarser levels towards no motion.
    """
    visibility = found.visibility.argmax(dim=1, keepdim=True)
    return found.flow, visibility.to(found.flow.dtype)


class FlowRegression(nn.Module, ImageNetwork):
    """Maps two poses to flow and visibility.

    Args:
        flow_network: arguments of `flow_net`.
        joints, radius: of the pose maps.
        faithful: whether the heads start from the released initial weights; the training has the rest of what is as
            released.
    """

    def __init__(self, flow_network: Mapping[str, Any], joints: str, radius: float, faithful: bool = False):
        super().__init__()
        self.poses, self.flow = PoseMaps(joints, radius), flow_net(**flow_network)
        if not faithful:
            scale_down_heads(self.flow.flow_heads, self.flow.visibility_head)

    def pyramid(
        self,
        source_joints: Tensor,  # (B, 18, 3) x, y, seen
        target_joints: Tensor,  # (B, 18, 3)
        size: tuple[int, int],
    ) -> FlowPyramid:
        """Return the whole flow pyramid, which training needs."""
        return self.flow(self.poses(source_joints, size), self.poses(target_joints, size))

    def forward(
        self,
        image: Tensor,  # (B, 3, H, W) source; only its size counts
        source_joints: Tensor,  # (B, 18, 3)
        target_joints: Tensor,  # (B, 18, 3)
    ) -> GeneratedImage:
        """Return flow and visibility, without an image."""
        height, width = image.shape[2:]
        flow, visibility = decided(self.pyramid(source_joints, target_joints, (height, width)))
        return GeneratedImage(None, flow, visibility)
