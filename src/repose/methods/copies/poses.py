"""Poses without a model: floor and ceiling of methods that make up poses."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from repose.methods.generation import Body


class CopyPoses(nn.Module):
    """Training poses of the very body, chosen at random without repetition as far as they last, or the pose at rest."""

    def __init__(self, poses: Literal["training", "rest"], rest_pose: int):
        super().__init__()
        self.poses, self.rest_pose = poses, rest_pose

    def make(self, body: Body, count: int, draw: torch.Generator) -> Tensor:
        """See `repose.methods.generation.PoseMaker`."""
        if self.poses == "rest":
            return body.rest.expand(count, -1, -1)
        total = len(body.training)
        orders = [torch.randperm(total, generator=draw) for _ in range(-(-count // total))]
        return body.training[torch.cat(orders)[:count]]
