"""Poses without a model: an oracle and a baseline for methods that generate poses."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from repose.errors import ReposeError
from repose.methods.interface import RestBody


class CopyPoses(nn.Module):
    """Return random training poses of the test body itself, or copies of its pose at rest.

    No training pose is repeated before all have been used. The class is a `repose.methods.interface.PoseGenerator`.
    """

    learned_body = None

    def __init__(self, poses: Literal["training", "rest"], rest_pose: int):
        super().__init__()
        self.oracle, self.rest_pose = poses == "training", rest_pose

    def make(self, body: RestBody, count: int, draw: torch.Generator) -> Tensor:
        """Return `count` poses of the body, see `PoseGenerator`.

        Raises:
            ReposeError: the oracle is not told the training poses.
        """
        if not self.oracle:
            return body.rest.expand(count, -1, -1)
        if body.training is None:
            raise ReposeError("copies of training poses need the body in the training poses")
        total = len(body.training)
        orders = [torch.randperm(total, generator=draw) for _ in range(-(-count // total))]
        return body.training[torch.cat(orders)[:count]]
