"""Farthest points and the neighbours of faces, in plain torch, without compiled extensions, for whole batches."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from repose.methods.layers.nearest import nearest

NEAR, NEIGHBOURS = 10, 16  # number of neighbours of a face among all faces, and of a point that is kept


def farthest_points(
    points: Tensor,  # (B, N, 3)
    count: int,
) -> Tensor:
    """Return the farthest-point sample (B, count) int64, which starts at point 0; of equals, the first is taken.

    The first m points are the sample of size m. The released kernel skips points within 0.032 of the origin; this
    function does not.
    """
    chosen = torch.zeros(len(points), count, dtype=torch.long, device=points.device)
    far = points.new_full(points.shape[:2], torch.inf)
    rows = torch.arange(len(points), device=points.device)
    for k in range(1, count):
        last = points[rows, chosen[:, k - 1], None]
        far = torch.minimum(far, (points - last).square().sum(-1))
        chosen[:, k] = far.argmax(1)
    return chosen


class Neighbours(NamedTuple):
    """The neighbourhoods of the pose extractor's attention, by geometry alone; int64, leading dimension B or 1."""

    faces: Tensor  # (B, F, 10) neighbours of each face among the faces
    centres: Tensor  # (B, M) faces that are kept first; the first K of them are the keypoints
    centres_in_faces: Tensor  # (B, M, 16)
    centres_in_centres: Tensor  # (B, M, 16)
    keypoints_in_centres: Tensor  # (B, K, 16)
    keypoints_in_keypoints: Tensor  # (B, K, 16)

    @classmethod
    def of(cls, points: Tensor, middle: int, keypoints: int) -> Neighbours:
        """Find the neighbours of centroids (B, F, 3); there are `middle` centres, or F if that is fewer."""
        centres = farthest_points(points, min(middle, points.shape[1]))
        kept = points.gather(1, centres[..., None].expand(-1, -1, 3))
        chosen = kept[:, :keypoints]  # the first of them are the farthest points among themselves, too
        return cls(
            nearest(points, points, NEAR),
            centres,
            nearest(kept, points, NEIGHBOURS),
            nearest(kept, kept, NEIGHBOURS),
            nearest(chosen, kept, NEIGHBOURS),
            nearest(chosen, chosen, NEIGHBOURS),
        )
