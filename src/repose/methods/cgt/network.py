"""CGT, the geometry-contrastive Transformer for pose transfer (Chen et al., AAAI 2022).

It is NPT without pooling, in four stages. Both meshes go through one encoder and the same linear maps. In each stage
the features of the pose mesh first attend to those of the identity, and then go through NPT's block, whose
normalisations are modulated by the identity's coordinates.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.methods.interface import Transfer, TransferNetwork, check_equal_counts, check_pair
from repose.methods.layers.linear import NormedLinear
from repose.methods.layers.modulation import with_ones
from repose.methods.npt.network import REACH, SPAdaINBlock, initialise


class CrossAttention(nn.Module):
    """Cross-attention from the vertices of the pose mesh to those of the identity, with a gain that starts at 0.

    As published, the values are those of the *pose mesh*: a query that attends to vertex j of the identity receives the
    value of vertex j of the pose mesh, whether or not the two correspond. So both meshes need equal vertex counts.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(channels, channels) for _ in range(3))
        self.gain = nn.Parameter(torch.zeros(1))

    def forward(
        self,
        pose: Tensor,  # (B, N, C)
        identity: Tensor,  # (B, N, C)
    ) -> Tensor:
        """Return `pose + gain · softmax(q kᵀ) v`, (B, N, C)."""
        # undoes the scaling inside the call, which CGT lacks
        query = self.query(pose) * pose.shape[-1] ** 0.5
        one_head = (x[:, None] for x in (query, self.key(identity), self.value(pose)))
        return pose + self.gain * F.scaled_dot_product_attention(*one_head)[:, 0]


class Cgt(nn.Module, TransferNetwork):
    """The geometry-contrastive Transformer (12,009,351 parameters at width 1024).

    Args:
        width: channels of the features, a multiple of 4; the stages have 1, 1/2, 1/2 and 1/4 of it.
        unit_area: whether meshes are scaled to a surface area of 1 m²; see `TransferNetwork`.
    """

    def __init__(self, width: int = 1024, unit_area: bool = False):
        super().__init__()
        self.unit_area = unit_area
        self.encoder = nn.ModuleList(NormedLinear(i, o) for i, o in ((3, 64), (64, 128), (128, width)))
        self.enter = nn.Linear(width, width)
        widths = (width, width // 2, width // 2, width // 4)
        self.attentions = nn.ModuleList(CrossAttention(c) for c in widths)
        self.blocks = nn.ModuleList(SPAdaINBlock(c, normalise=True) for c in widths)
        self.following = nn.ModuleList(nn.Linear(i, o) for i, o in zip(widths, (*widths[1:], 3), strict=True))
        initialise(self, width)

    def forward(
        self,
        identity: Tensor,  # (B, N, 3), metres, centred by its bounding box
        pose: Tensor,  # (B, N, 3), metres, centred by its bounding box
    ) -> Transfer:
        """Pose the identity meshes like the pose meshes.

        Raises:
            ReposeError: wrong shapes, or unequal vertex counts.
        """
        check_pair(identity, pose)
        hint = "give both meshes the same number of vertices, or use another method"
        check_equal_counts(identity, pose, "CGT", hint)
        both = torch.cat([pose, identity])
        for layer in self.encoder:
            both = F.relu(layer(both))
        x, y = self.enter(both).chunk(2)
        cond = with_ones(identity)
        for attention, block, following in zip(self.attentions, self.blocks, self.following, strict=True):
            x = block(attention(x, y), cond, following)[..., : following.out_features]
            y = following(y)
        return Transfer(REACH * torch.tanh(x))
