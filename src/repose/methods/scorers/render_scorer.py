"""A small classifier that identifies the bodies of a dataset in renders, used to score generated poses.

Neural Pose Representation uses a ResNet and features that it does not describe. Measures made with this classifier have
`render` in their name and cannot be compared with published ones.
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
# fewer than the images of a body in few poses, because feature distances need more images than features
FEATURES = 16
_WIDTHS = (8, 16, 32)


class FeaturesAndLogits(NamedTuple):
    """The output of the classifier for each image."""

    features: Tensor  # (B, FEATURES), of mean 0 and variance 1 in training
    logits: Tensor  # (B, bodies)


class RenderScorer(nn.Module):
    """Identifies the body in an image, in any pose.

    Attributes:
        identities: (bodies,) int64, numbers of the bodies in the dataset; empty before training.
        half_height: () metres from the middle of an image to its top, the same for all bodies.
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
        self.head = nn.Linear(FEATURES, 1)  # its size is the number of bodies, set when they are known
        self.identities: Tensor
        self.half_height: Tensor
        self.register_buffer("identities", torch.empty(0, dtype=torch.long))
        self.register_buffer("half_height", torch.zeros(()))

    def learn_bodies(self, identities: Sequence[int], half_height: float) -> None:
        """Set the bodies and the scale of the images, and draw the weights of the classes."""
        self.identities, self.half_height = torch.tensor(identities), torch.tensor(half_height)
        self.head = nn.Linear(FEATURES, len(identities))

    def forward(self, image: Tensor) -> FeaturesAndLogits:  # (B, 1, SIDE, SIDE), 0 white, 1 black
        """Classify images."""
        features = self.features(self.trunk(image))
        return FeaturesAndLogits(features, self.head(features.relu()))

    def _load_from_state_dict(self, state: dict[str, Tensor], prefix: str, *arguments: Any) -> None:
        # The number of bodies is known from the weights alone.
        if prefix + "identities" in state:
            self.identities = torch.empty_like(state[prefix + "identities"])
            self.head = nn.Linear(FEATURES, len(self.identities))
        super()._load_from_state_dict(state, prefix, *arguments)


def render_mesh(mesh: NDArray, faces: NDArray, half_height: float) -> NDArray[np.uint8]:
    """Render a mesh (V, 3), metres, about the middle of its box, for the scorer: (VIEWS, SIDE, SIDE), 255 white."""
    views = [View(yaw, 0.0, half_height, (0.0, 0.0, 0.0)) for yaw in VIEWS]
    return np.stack(render_views(mesh, faces, (SIDE, SIDE), views))[..., 0]


def as_input(drawn: NDArray[np.uint8]) -> Tensor:  # (N, SIDE, SIDE) to (N, 1, SIDE, SIDE)
    """Return images in the format that the scorer takes."""
    return 1 - torch.from_numpy(drawn).float()[:, None] / 255
