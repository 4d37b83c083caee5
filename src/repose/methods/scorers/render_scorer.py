"""A small classifier that learns to tell the bodies of a dataset by their pictures, to score poses of them.

It stands where Neural Pose Representation has a ResNet and features that it does not describe: what is measured with it
carries `render` in its name and compares with nothing published.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from repose.mesh.render import View, render_views
from repose.methods.flow.layers import Down, ResBlock, initialise

SIDE = 64  # pixels
VIEWS = (0.0, 90.0, 180.0, 270.0)  # degrees around the body: front, its left, back, its right
FEATURES = 16  # fewer than the images of a body in few poses, or its distances would mean nothing
_WIDTHS = (8, 16, 32)


class Classified(NamedTuple):
    """What the classifier says of each image."""

    features: Tensor  # (B, FEATURES), of mean 0 and variance 1 in training
    logits: Tensor  # (B, bodies)


class RenderScorer(nn.Module):
    """Which body is in a picture, in whatever pose.

    Attributes:
        identities: (bodies,) int64, their numbers in the dataset; empty before training.
        half_height: () metres from the middle of a picture to its top, one scale for all bodies.
    """

    def __init__(self) -> None:
        super().__init__()
        first, second, third = _WIDTHS
        self.trunk = nn.Sequential(
            Down(1, first),
            Down(first, second),
            ResBlock(second),
            Down(second, third),
            ResBlock(third),
            nn.ReLU(),
        )
        initialise(self)
        seen = third * (SIDE // 8) ** 2
        self.features = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(seen, FEATURES), nn.BatchNorm1d(FEATURES, affine=False)
        )
        self.head = nn.Linear(FEATURES, 1)  # as many as bodies, when they are known
        self.identities: Tensor
        self.half_height: Tensor
        self.register_buffer("identities", torch.empty(0, dtype=torch.long))
        self.register_buffer("half_height", torch.zeros(()))

    def learn_bodies(self, identities: Sequence[int], half_height: float) -> None:
        """Say which bodies there are, and how much the pictures show; draws the weights that tell them apart."""
        self.identities, self.half_height = torch.tensor(identities), torch.tensor(half_height)
        self.head = nn.Linear(FEATURES, len(identities))

    def forward(self, image: Tensor) -> Classified:  # (B, 1, SIDE, SIDE), 0 white, 1 black
        """Classify images."""
        features = self.features(self.trunk(image))
        return Classified(features, self.head(features.relu()))

    def _load_from_state_dict(self, state: dict[str, Tensor], prefix: str, *arguments: Any) -> None:
        # The number of bodies is known from the weights alone.
        if prefix + "identities" in state:
            self.identities = torch.empty_like(state[prefix + "identities"])
            self.head = nn.Linear(FEATURES, len(self.identities))
        super()._load_from_state_dict(state, prefix, *arguments)


def pictures(mesh: NDArray, faces: NDArray, half_height: float) -> NDArray[np.uint8]:
    """What the scorer sees of a mesh (V, 3), metres, about the middle of its box: (VIEWS, SIDE, SIDE), 255 white."""
    views = [View(yaw, 0.0, half_height, (0.0, 0.0, 0.0)) for yaw in VIEWS]
    return np.stack(render_views(mesh, faces, (SIDE, SIDE), views))[..., 0]


def as_input(drawn: NDArray[np.uint8]) -> Tensor:  # (N, SIDE, SIDE) to (N, 1, SIDE, SIDE)
    """Pictures as the scorer takes them."""
    return 1 - torch.from_numpy(drawn).float()[:, None] / 255
