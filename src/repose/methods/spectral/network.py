"""Rotation of faces on the spectral correspondence of both posed surfaces."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from repose.mesh.spectrum import surface_of
from repose.methods.interface import Faces, Transfer, TransferNetwork, check_pair
from repose.methods.matched.sound import turned_where_sound
from repose.methods.spectral.matching import matched


class SpectralRotations(nn.Module, TransferNetwork):
    """A functional map finds each vertex of the identity on the pose mesh; faces are rotated as they are there.

    Args:
        vibrations: number of eigenvectors of each surface.
    """

    sees_faces = True

    def __init__(self, vibrations: int = 100):
        super().__init__()
        self.vibrations = vibrations

    def forward(
        self,
        identity: Tensor,  # (B, N_id, 3) metres
        pose: Tensor,  # (B, N_po, 3) metres
        faces: Faces,
    ) -> Transfer:
        """Rotate the identity's faces as on the pose mesh; the warp holds the places found for its vertices there.

        Raises:
            ReposeError: wrong shapes, or a mesh has no area, fewer than four vertices, or in the identity a face
                without area.
        """
        check_pair(identity, pose)
        corners, pose_corners = (mesh.cpu().numpy() for mesh in faces)
        found, posed = [], []
        for one, other in zip(identity.double().cpu().numpy(), pose.double().cpu().numpy(), strict=True):
            target = surface_of(one, corners, self.vibrations)
            source = surface_of(other, pose_corners, self.vibrations)
            found.append(other[matched(source, pose_corners, target, corners)])
            posed.append(turned_where_sound(one, corners, found[-1]))
        return Transfer(*(torch.from_numpy(np.stack(meshes)).to(identity) for meshes in (posed, found)))
