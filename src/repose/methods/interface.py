"""What every learned pose-transfer network takes and gives back."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from repose.errors import ReposeError


class Transfer(NamedTuple):
    """Result of posing the identity mesh like the pose mesh.

    Attributes:
        vertices: (B, N_id, 3), metres, in the identity mesh's vertex order; the caller centres it
            by its bounding box where a metric asks for that.
        warp: (B, N_id, 3), metres: the coarse mesh before refinement, of systems that make one.
    """

    vertices: Tensor
    warp: Tensor | None = None


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


def check_pair(
    identity: Tensor,  # (B, N_id, 3)
    pose: Tensor,  # (B, N_po, 3)
) -> None:
    """Refuse tensors that are not two batches of vertices.

    Raises:
        ReposeError: a wrong shape or unequal batch sizes.
    """
    for name, mesh in (("identity", identity), ("pose", pose)):
        if mesh.ndim != 3 or mesh.shape[-1] != 3 or mesh.shape[1] < 2:
            raise ReposeError(
                f"{name} vertices have shape {tuple(mesh.shape)}", hint="expected (batch, N, 3) with N ≥ 2"
            )
    if len(identity) != len(pose):
        raise ReposeError(f"{len(identity)} identity meshes but {len(pose)} pose meshes in one batch")
