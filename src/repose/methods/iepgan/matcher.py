"""A matcher that carries the pose mesh to the identity's vertices if the meshes share no vertex order or number.

It is not part of the published system, whose meshes are registered.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.methods.iepgan.encoder import layers
from repose.methods.iepgan.layers import ConditionalBlock

_START = 10.0  # initial sharpness of the attention; similarities lie in -1 … 1


class Matcher(nn.Module):
    """Attention between features that identify a place on the body.

    Args:
        width: channels of the features.
    """

    def __init__(self, width: int):
        super().__init__()
        self.local = layers(3, width // 2, width)
        self.blocks = nn.ModuleList(ConditionalBlock(width, width) for _ in range(2))
        self.name = nn.Linear(width, width)
        self.log_sharpness = nn.Parameter(torch.tensor([math.log(_START)]))

    def names(
        self,
        vertices: Tensor,  # (B, N, 3), metres
    ) -> Tensor:
        """Return features that identify the place of each vertex on the body, unit vectors (B, N, width)."""
        x = self.local(vertices)
        for block in self.blocks:
            x = block(x, x.amax(dim=1, keepdim=True))
        return F.normalize(self.name(x), dim=2)

    def forward(
        self,
        identity: Tensor,  # (B, N_id, 3), metres
        pose: Tensor,  # (B, N_po, 3), metres
    ) -> Tensor:
        """Return the pose mesh's surface at the identity's vertices, (B, N_id, 3), metres."""
        sharpness = self.log_sharpness.exp().clamp(max=100)
        wanted, there = self.names(identity) * sharpness, self.names(pose)
        with torch.autocast(pose.device.type, enabled=False):  # half precision would round the coordinates
            return F.scaled_dot_product_attention(wanted.to(pose), there.to(pose), pose, scale=1.0)
