"""Two bodies in one common pose, usually at rest."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import Tensor

RestPose = int | Literal["identity"]
"""The number of the pose in which a system is told both bodies, or that it is the identity mesh's own pose."""


class Rests(NamedTuple):
    """Both bodies of a transfer in one pose, usually at rest, and their faces.

    It is for systems that know more of a body than one posed mesh. Vertices are in template order, and so is the pose
    mesh then.
    """

    identity: Tensor  # (B, N_id, 3) metres
    pose: Tensor  # (B, N_po, 3) metres
    identity_faces: Tensor  # (F_id, 3) int64
    pose_faces: Tensor  # (F_po, 3) int64

    def to(self, device: str) -> Rests:
        """Move to a device."""
        return Rests(*(x.to(device) for x in self))
