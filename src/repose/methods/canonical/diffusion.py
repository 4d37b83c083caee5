"""DiffusionNet (Sharp et al., TOG 2022), a network on surfaces whose result does not depend on the triangulation."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from repose.mesh.spectrum import Surface
from repose.methods.canonical.inference import COLD, SCALE

_TIMES = (-3.0, 0.5)  # powers of ten: from the size of an eyelid to that of the body, at area 1


class DiffusionBlock(nn.Module):
    """Diffuse heat in each channel for a learned time, then apply a perceptron at every vertex (section 3.5).

    The paper's gradient features are left out. They tell left from right where a network sees no coordinates; this one
    sees coordinates. A training step takes half as long without them.
    """

    def __init__(self, width: int):
        super().__init__()
        # Plain numbers: if the network is made without values (meta device), tensor arithmetic would load torch's
        # compiler, which takes seconds.
        powers = np.linspace(*_TIMES, width) * np.log(10)
        order = torch.randperm(width, device="cpu").numpy()
        self.times = nn.Parameter(torch.tensor(powers[order].tolist()))  # logarithms of the diffusion times
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
        """Return the new features, (V, width), of the vertices."""
        y = self.norm(x)
        amplitudes = surface.vectors.T @ (surface.masses[:, None] * y)  # (K, width), equation 4
        cooled = torch.exp(-(surface.values[:, None] * self.times.exp()).clamp(max=COLD)) * amplitudes
        return x + self.perceptron(torch.cat([y, surface.vectors @ cooled], dim=-1))


class DiffusionNetwork(nn.Module):
    """A DiffusionNet that gives every vertex of a surface some numbers, from the vertices' places and normals."""

    def __init__(self, width: int, blocks: int, outputs: int):
        super().__init__()
        self.first = nn.Linear(6, width)
        self.blocks = nn.ModuleList(DiffusionBlock(width) for _ in range(blocks))
        self.last = nn.Linear(width, outputs)

    def forward(self, surface: Surface) -> Tensor:  # (N, outputs)
        """Return the numbers of each vertex, (V, outputs)."""
        x = self.first(torch.cat([SCALE * surface.vertices, surface.normals], dim=-1))
        for block in self.blocks:
            x = block(x, surface)
        return self.last(x)
