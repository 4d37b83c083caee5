"""Refinement of codes for one target identity, from its template alone (Neural Pose Representation, section 3.4).

A small transformer changes the keypoints and features of a code slightly before the applier, which is frozen. It learns
from the codes of the training poses: their transfers to the target should keep the target's edge lengths and be smooth
displacements of it. The paper gives the losses and their weights, and sums the penalty on changes of a code over its
keypoints; the layers and the other reductions are our choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from repose.mesh.operators import unique_edges
from repose.methods.npr.extractor import Code
from repose.methods.npr.template import Template

if TYPE_CHECKING:
    from repose.methods.npr.network import Npr

_WIDTH, _HEADS, _LAYERS = 256, 4, 2
_BATCH, _RATE = 4, 1e-3
_LAPLACIAN, _EDGES, _STAY = 1.0, 1.0, 5e-2  # loss weights, as published


class Refiner(nn.Module):
    """Changes a set of keypoints with features, independently of their order; before training it changes nothing.

    Args:
        channels: channels of a keypoint's feature.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.enter = nn.Linear(3 + channels, _WIDTH)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(_WIDTH, _HEADS, 2 * _WIDTH, 0.0, batch_first=True, norm_first=True)
            for _ in range(_LAYERS)
        )
        self.leave = nn.Linear(_WIDTH, 3 + channels)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, points: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the changed keypoints (B, K, 3) and features (B, K, C)."""
        points = points.expand(len(features), -1, -1)
        x = self.enter(torch.cat([points, features], dim=-1))
        for layer in self.layers:
            x = layer(x)
        change = self.leave(x)
        return points + change[..., :3], features + change[..., 3:]


class Distortion:
    """Measures how a transfer distorts a target, in units of the target's box."""

    def __init__(self, template: Template):
        rest, self.scale = template.rest, template.scale
        rows, columns, weights = template.poisson.cotangents
        self.rest = rest
        self.rows, self.columns = rows.to(rest.device), columns.to(rest.device)
        sums = rest.new_zeros(len(rest)).index_add(0, self.rows, weights.to(rest))
        self.weights = weights.to(rest) / sums[self.rows]
        self.edges = (
            torch.from_numpy(unique_edges(template.poisson.faces.cpu().numpy())).long().to(rest.device)
        )
        self.lengths = self._lengths(rest[None])

    def laplacian(self, posed: Tensor) -> Tensor:  # (B, V, 3) metres
        """Return the mean distance of a displacement from the cotangent mean of the neighbours' (DeepMetaHandles)."""
        moved = posed / self.scale - self.rest
        around = torch.zeros_like(moved).index_add(
            1, self.rows, self.weights[:, None] * moved[:, self.columns]
        )
        return (moved - around).norm(dim=-1).mean()

    def edge_lengths(self, posed: Tensor) -> Tensor:  # (B, V, 3) metres
        """Return the mean change of the edge lengths, as a share of their mean."""
        return (self._lengths(posed / self.scale) - self.lengths).abs().mean() / self.lengths.mean()

    def _lengths(self, x: Tensor) -> Tensor:
        return (x[:, self.edges[:, 0]] - x[:, self.edges[:, 1]]).norm(dim=-1)


def refine(
    network: Npr,
    template: Template,
    points: Tensor,  # (N or 1, K, 3)
    features: Tensor,  # (N, K, C)
    steps: int,
) -> Refiner:
    """Train the refiner of one target on the codes of training poses; equal inputs give equal results.

    Gradients flow through the applier and the Poisson equation, which are frozen.
    """
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False), torch.enable_grad():
        torch.manual_seed(0)
        refiner = Refiner(features.shape[-1]).to(features.device)
        distortion, rng = Distortion(template), np.random.default_rng(0)
        optimizer = torch.optim.Adam(refiner.parameters(), lr=_RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=_RATE / 100)
        for _ in range(steps):
            chosen = torch.from_numpy(rng.integers(len(features), size=_BATCH)).to(features.device)
            own = points if len(points) == 1 else points[chosen]
            new_points, new_features = refiner(own, features[chosen])
            stay = (new_points - own).square().sum(-1) + (new_features - features[chosen]).square().sum(-1)
            posed = network.transfer(network.extractor.code(new_points, new_features), [template] * _BATCH)
            loss = _LAPLACIAN * distortion.laplacian(posed) + _EDGES * distortion.edge_lengths(posed)
            loss = loss + _STAY * stay.sum(-1).mean()
            # Gradients of the refiner alone: those of the network are not even computed.
            grads = torch.autograd.grad(loss, list(refiner.parameters()))
            for parameter, grad in zip(refiner.parameters(), grads, strict=True):
                parameter.grad = grad
            optimizer.step()
            schedule.step()
    return refiner.eval()


def refined(network: Npr, refiner: Refiner, code: Code) -> Code:
    """Return a code as the refiner changes it."""
    return network.extractor.code(*refiner(code.points, code.features))
