"""A network on a surface that does not see its triangles: DiffusionNet (Sharp et al., TOG 2022)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from repose.mesh.spectrum import Surface
from repose.methods.canonical.inference import COLD, SCALE

_TIMES = (-3.0, 0.5)  # powers of ten: from an eyelid to the whole body, of a surface of area 1


class DiffusionBlock(nn.Module):
    """Spread heat, each channel for a time that it learns, then a perceptron at every vertex (section 3.5).

    The paper's gradient features are left out: they are what tells left from right on a surface without coordinates,
    which this one has. A training step is half as long without.
    """

    def __init__(self, width: int):
        super().__init__()
        # As numbers: where a network is made without values, arithmetic on tensors loads torch's compiler, for seconds.
        powers = np.linspace(*_TIMES, width) * np.log(10)
        order = torch.randperm(width, device="cpu").numpy()
        self.times = nn.Parameter(torch.tensor(powers[order].tolist()))  # logarithms
        self.norm = nn.LayerNorm(width)
        self.perceptron = nn.Sequential(
            nn.Linear(2 * width, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, width),
        )

    def forward(
        self,
        x: Tensor,  # (N, width)
        surface: Surface,
    ) -> Tensor:  # (N, width)
        """The features, further."""
        y = self.norm(x)
        amplitudes = surface.vectors.T @ (surface.masses[:, None] * y)  # (K, width), equation 4
        cooled = torch.exp(-(surface.values[:, None] * self.times.exp()).clamp(max=COLD)) * amplitudes
        return x + self.perceptron(torch.cat([y, surface.vectors @ cooled], dim=-1))


class DiffusionNetwork(nn.Module):
    """Some numbers for every vertex of a surface, from places and normals."""

    def __init__(self, width: int, blocks: int, outputs: int):
        super().__init__()
        self.first = nn.Linear(6, width)
        self.blocks = nn.ModuleList(DiffusionBlock(width) for _ in range(blocks))
        self.last = nn.Linear(width, outputs)

    def forward(self, surface: Surface) -> Tensor:  # (N, outputs)
        """The numbers of each vertex."""
        x = self.first(torch.cat([SCALE * surface.vertices, surface.normals], dim=-1))
        for block in self.blocks:
            x = block(x, surface)
        return self.last(x)
