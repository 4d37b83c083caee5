"""What predicts. Its arguments are the fields of the settings."""

import torch
from torch import Tensor, nn

from repose.methods.interface import Transfer, TransferNetwork


class Offsets(nn.Module, TransferNetwork):
    """A perceptron of where a vertex is, and of the second moments of the pose mesh."""

    def __init__(self, width: int):
        super().__init__()
        self.offset = nn.Sequential(nn.Linear(12, width), nn.ReLU(), nn.Linear(width, 3))

    def forward(self, identity: Tensor, pose: Tensor) -> Transfer:  # (B, N_id, 3), (B, N_po, 3) metres
        moments = (pose.mT @ pose / pose.shape[1]).flatten(1)  # (B, 9)
        seen = torch.cat([identity, moments[:, None].expand(-1, identity.shape[1], -1)], dim=-1)
        return Transfer(vertices=identity + self.offset(seen))
