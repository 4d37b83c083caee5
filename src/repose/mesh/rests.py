"""Two bodies in one pose, at rest most often."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import Tensor

RestPose = int | Literal["identity"]
"""The number of the pose in which a system is told both bodies, or that it is the identity mesh's own pose."""


class Rests(NamedTuple):
    """Both bodies of a transfer in one pose, at rest most often, and their faces.

    For systems that know more of a body than one posed mesh. Vertices are in template order, as is then the pose mesh.
    """

    identity: Tensor  # (B, N_id, 3) metres
    pose: Tensor  # (B, N_po, 3) metres
    identity_faces: Tensor  # (F_id, 3) int64
    pose_faces: Tensor  # (F_po, 3) int64

    def to(self, device: str) -> Rests:
        """The same on a device."""
        return Rests(*(x.to(device) for x in self))
