"""What every method that makes up poses takes and gives back."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Tensor


class Body(NamedTuple):
    """A body that new poses are made up for."""

    rest: Tensor  # (V, 3) metres
    faces: Tensor  # (F, 3) int64
    training: Tensor  # (P, V, 3) metres, this very body in the training poses: what a floor or ceiling copies


class PoseMaker(Protocol):
    """A network, or a floor, that makes up poses.

    Attributes:
        rest_pose: number of the pose at rest.
    """

    rest_pose: int

    def make(self, body: Body, count: int, draw: torch.Generator) -> Tensor:
        """The body in `count` new poses, (count, V, 3), metres; all that is random comes from `draw`."""
