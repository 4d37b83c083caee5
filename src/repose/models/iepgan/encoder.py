"""Encoder of IEP-GAN: a pose code and a shape code from one trunk."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.models.layers.linear import NormedLinear


class Encoder(nn.Module):
    """Per-vertex layers with instance norm: 2,978,208 parameters at the published widths.

    Args:
        width: channels of the trunk's output; 512 as published.
        pose_channels: channels of the pose code; 32 as published.
        field: true: the released shape code, a 3-vector per vertex, which lets pose and identity through; false: one
            vector per mesh, by a maximum over the vertices, and the size of the mesh, which the norms removed.
    """

    def __init__(self, width: int = 512, pose_channels: int = 32, field: bool = False):
        super().__init__()
        self.field = field
        self.trunk = _layers(3, width // 8, width // 4, width)
        self.pose_head = _layers(width, width, pose_channels)
        self.shape_head = _layers(width, 2 * width, 4 * width)
        self.shape_channels = 3 if field else 4 * width + 1

    def forward(
        self,
        vertices: Tensor,  # (B, N, 3), metres
    ) -> tuple[Tensor, Tensor]:
        """Return the pose code (B, N, pose_channels) and the shape code (B, N or 1, shape_channels)."""
        features = self.trunk(vertices)
        return self.pose_head(features), self._shape(features, vertices)

    def pose(
        self,
        vertices: Tensor,  # (B, N, 3), metres
    ) -> Tensor:
        """The pose code alone, (B, N, pose_channels)."""
        return self.pose_head(self.trunk(vertices))

    def shape(
        self,
        vertices: Tensor,  # (B, N, 3), metres
    ) -> Tensor:
        """The shape code alone, (B, N or 1, shape_channels)."""
        return self._shape(self.trunk(vertices), vertices)

    def _shape(self, features: Tensor, vertices: Tensor) -> Tensor:
        values = self.shape_head(features)
        if self.field:
            return F.adaptive_max_pool2d(values.mT, (3, values.shape[1])).mT
        return torch.cat([values.amax(dim=1, keepdim=True), log_size(vertices)], dim=2)


def log_size(
    vertices: Tensor,  # (B, N, 3), metres
) -> Tensor:
    """Logarithm of the root mean squared distance from the mean vertex, (B, 1, 1), of metres."""
    centred = vertices - vertices.mean(dim=1, keepdim=True)
    return 0.5 * centred.square().sum(dim=2).mean(dim=1).log()[:, None, None]


def _layers(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i, o in zip(widths, widths[1:], strict=False):
        layers += [NormedLinear(i, o), nn.ReLU()]
    return nn.Sequential(*layers)
