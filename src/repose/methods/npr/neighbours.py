"""Farthest points and the neighbours of faces, in plain torch: no compiled extension, CPU and GPU, whole batches."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from repose.methods.layers.nearest import nearest

NEAR, NEIGHBOURS = 10, 16  # neighbours of a face among all faces; of a point that is kept


def farthest_points(
    points: Tensor,  # (B, N, 3)
    count: int,
) -> Tensor:
    """(B, count) int64: point 0, then always the point farthest from those taken (the first of equals).

    The first m of them are what a search for m gives. The released kernel skips points within 0.032 of the origin;
    this does not.
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
    """Who looks at whom in the pose extractor, by geometry alone. All int64, leading dimension B or 1."""

    faces: Tensor  # (B, F, 10) neighbours of each face among the faces
    centres: Tensor  # (B, M) faces that are kept at first; the first K of them are the keypoints
    centres_in_faces: Tensor  # (B, M, 16)
    centres_in_centres: Tensor  # (B, M, 16)
    keypoints_in_centres: Tensor  # (B, K, 16)
    keypoints_in_keypoints: Tensor  # (B, K, 16)

    @classmethod
    def of(cls, points: Tensor, middle: int, keypoints: int) -> Neighbours:
        """Those of centroids (B, F, 3); there are `middle` centres, or F if that is fewer."""
        centres = farthest_points(points, min(middle, points.shape[1]))
        kept = points.gather(1, centres[..., None].expand(-1, -1, 3))
        chosen = kept[:, :keypoints]  # farthest points of farthest points: the first
        return cls(
            nearest(points, points, NEAR),
            centres,
            nearest(kept, points, NEIGHBOURS),
            nearest(kept, kept, NEIGHBOURS),
            nearest(chosen, kept, NEIGHBOURS),
            nearest(chosen, chosen, NEIGHBOURS),
        )
