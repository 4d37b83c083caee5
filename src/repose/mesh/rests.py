"""Two bodies at rest."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Rests(NamedTuple):
    """Both bodies of a transfer at rest, and their faces, for systems that know more of a body than one posed mesh.

    Vertices are in template order, as is then the pose mesh.
    """

    identity: Tensor  # (B, N_id, 3) metres
    pose: Tensor  # (B, N_po, 3) metres
    identity_faces: Tensor  # (F_id, 3) int64
    pose_faces: Tensor  # (F_po, 3) int64

    def to(self, device: str) -> Rests:
        """The same on a device."""
        return Rests(*(x.to(device) for x in self))
