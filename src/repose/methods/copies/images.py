"""Copies of an image: the source is a baseline, the target itself an oracle."""

import torch
from torch import Tensor, nn

from repose.methods.interface import GeneratedImage, ImageNetwork


class CopyImage(nn.Module, ImageNetwork):
    """Return the source with a flow of zeros, or the target."""

    def __init__(self, image: str):
        super().__init__()
        self.oracle = image == "target"

    def forward(
        self,
        image: Tensor,  # (B, 3, H, W) source in [-1, 1]
        source_joints: Tensor,  # (B, 18, 3), not used
        target_joints: Tensor,  # (B, 18, 3), not used
        *target: Tensor,  # (B, 3, H, W), for the oracle
    ) -> GeneratedImage:
        """Return one of the two images unchanged."""
        return (
            GeneratedImage(*target) if self.oracle else GeneratedImage(image, torch.zeros_like(image[:, :2]))
        )
