"""The pose extractor: from the Jacobians of a posed body to a few keypoints with features."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from repose.methods.npr.layers import Downsampling, Elementwise, PointTransformer, gather
from repose.methods.npr.neighbours import Neighbours

_FULL = 3  # number of layers in which all keypoints attend to all


class Code(NamedTuple):
    """The code of a pose: K keypoints and their features; `whole` is computed from the features."""

    points: Tensor  # (B or 1, K, 3) in units of the template's box
    features: Tensor  # (B, K, C)
    whole: Tensor  # (B, C)


class PoseExtractor(nn.Module):
    """Point transformers on all faces, then on `middle` of them, then on `keypoints` of those.

    Args:
        width, fine_width: channels of keypoints, and of faces; 256 and 120 as published.
        middle, keypoints: points kept after the first and the second stage; 500 and 100 as published.
    """

    def __init__(self, width: int = 256, fine_width: int = 120, middle: int = 500, keypoints: int = 100):
        super().__init__()
        self.middle, self.keypoints = middle, keypoints
        self.enter = nn.Linear(9, fine_width)
        self.on_faces = PointTransformer(fine_width)
        self.to_centres = Downsampling(fine_width)
        self.centre_mix = Elementwise(fine_width)
        self.on_centres = PointTransformer(fine_width)
        self.widen = nn.Sequential(nn.Linear(fine_width, width), Elementwise(width))
        self.to_keypoints = Downsampling(width)
        self.keypoint_mix = Elementwise(width)
        self.on_keypoints = PointTransformer(width)
        self.keypoint_mix_again = Elementwise(width)
        self.among_keypoints = nn.ModuleList(PointTransformer(width) for _ in range(_FULL))
        self.after = nn.ModuleList(Elementwise(width) for _ in range(_FULL))
        self.sum_up = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    def neighbours(self, points: Tensor) -> Neighbours:
        """Return the neighbourhoods of the attention among centroids (B, F, 3)."""
        return Neighbours.of(points, self.middle, self.keypoints)

    def forward(
        self,
        jacobians: Tensor,  # (B, F, 3, 3)
        points: Tensor,  # (B or 1, F, 3) centroids of the faces
        near: Neighbours,
    ) -> Code:
        """Return the code of each posed body."""
        x = self.on_faces(self.enter(jacobians.flatten(2)), points, near.faces)
        x = self.to_centres(x, points, near.centres, near.centres_in_faces)
        points = gather(points, near.centres)
        x = self.widen(self.on_centres(self.centre_mix(x), points, near.centres_in_centres))
        count = near.keypoints_in_centres.shape[1]
        first = torch.arange(count, device=x.device)[None]
        x = self.keypoint_mix(self.to_keypoints(x, points, first, near.keypoints_in_centres))
        points = points[:, :count]
        x = self.keypoint_mix_again(self.on_keypoints(x, points, near.keypoints_in_keypoints))
        for look, mix in zip(self.among_keypoints, self.after, strict=True):
            x = mix(look(x, points, None))
        return self.code(points, x)

    def code(self, points: Tensor, features: Tensor) -> Code:
        """Return a code from keypoints (B or 1, K, 3) and features (B, K, C), generated or changed elsewhere."""
        return Code(points, features, self.sum_up(features.amax(dim=1)))
