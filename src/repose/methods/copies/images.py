"""What copying an image scores: the source is a floor, the target itself the ceiling."""

import torch
from torch import Tensor, nn

from repose.methods.flow.interface import Drawn


class CopyImage(nn.Module):
    """Returns the source with a flow of zeros, or the target."""

    def __init__(self, image: str):
        super().__init__()
        self.image = image

    def forward(
        self,
        image: Tensor,  # (B, 3, H, W) source in [-1, 1]
        source_joints: Tensor,  # (B, 18, 3), not used
        target_joints: Tensor,  # (B, 18, 3), not used
        target: Tensor,  # (B, 3, H, W)
    ) -> Drawn:
        """One of the two images, as it is."""
        if self.image == "target":
            return Drawn(target)
        return Drawn(image, torch.zeros_like(image[:, :2]))
