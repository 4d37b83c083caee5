"""A small feature network that learns to tell the parts of the body apart, for the perceptual loss."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.images.classes import LABELS
from repose.methods.flow.layers import initialise
from repose.methods.flow.perceptual import SMALL, Features


class ImageFeatures(nn.Module):
    """A network that labels each pixel from its features of all five stages."""

    def __init__(self) -> None:
        super().__init__()
        self.features = Features(SMALL)
        self.head = nn.Conv2d(sum(channels for channels, _ in SMALL), len(LABELS), 1)
        initialise(self)

    def forward(self, image: Tensor) -> Tensor:  # (B, 3, H, W) in [-1, 1] to (B, 7, H, W) logits
        """Return the logits of the parts of the body."""
        maps = self.features(image)
        size = image.shape[2:]
        large = [F.interpolate(m, size, mode="bilinear", align_corners=False) for m in maps]
        return self.head(torch.cat(large, dim=1))
