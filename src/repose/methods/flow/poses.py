"""Pose maps: joints as image channels that a convolution can read."""

import torch
from torch import Tensor, nn


class PoseMaps(nn.Module):
    """Draws one channel per joint, which is not 0 only within or near a radius.

    Args:
        joints: `binary`: 1 within the radius; `gaussian`: exp(-d² / radius²).
        radius: pixels.
    """

    def __init__(self, joints: str, radius: float):
        super().__init__()
        self.joints, self.radius = joints, radius

    def forward(
        self,
        joints: Tensor,  # (B, J, 3): x, y in pixels, and 1 or 0 for a joint that is not seen
        size: tuple[int, int],  # height, width
    ) -> Tensor:  # (B, J, H, W)
        """Return the maps of the joints; a joint that is not seen gives an empty map."""
        xs = torch.arange(size[1], device=joints.device, dtype=joints.dtype)
        ys = torch.arange(size[0], device=joints.device, dtype=joints.dtype)
        across = (xs - joints[..., 0, None]).square()[..., None, :]
        down = (ys - joints[..., 1, None]).square()[..., :, None]
        squared = across + down
        if self.joints == "binary":
            drawn = (squared <= self.radius**2).to(joints.dtype)
        else:
            drawn = torch.exp(-squared / self.radius**2)
        return drawn * (joints[..., 2] > 0)[..., None, None]
