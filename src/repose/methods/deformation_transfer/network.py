"""Every face of the identity is deformed as the face of the pose body that it corresponds to, which was in one pose."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from scipy.spatial import KDTree
from torch import Tensor, nn

from repose.mesh.operators import Faces, Float, face_normals, unit
from repose.mesh.poisson import Poisson, completed, jacobians
from repose.mesh.rests import RestPose, Rests
from repose.methods.interface import Transfer, TransferNetwork

_NORMALS = 0.1  # what a normal counts among places, as a share of the side of the box


class DeformationTransfer(nn.Module, TransferNetwork):
    """Deformation transfer between two bodies (Sumner and Popović, SIGGRAPH 2004, section 3).

    The paper adds a fourth vertex to each face, so that its affine map S = V(posed) V(rest)⁻¹ says what happens across
    the face, too, and minimises Σ ‖S_f - T_f‖² over the target's vertices. Without those vertices that is a Poisson
    equation on the target with the field S. Here the faces weigh by their areas, and S carries the unit normal at rest
    to the unit normal posed; a test holds the result to the paper's own system. Of the markers that the paper finds the
    correspondence from there are none: it is told, or is that of the nearest faces.
    """

    def __init__(self, rest_pose: RestPose, correspondence: Literal["true", "nearest"] = "true"):
        super().__init__()
        self.rest_pose, self.ordered = rest_pose, correspondence == "true"

    def forward(
        self,
        identity: Tensor,  # (B, N_id, 3) metres, not used: the body in the pose of `rests` is deformed
        pose: Tensor,  # (B, N_po, 3) metres
        rests: Rests,  # of which the vertices and faces of the pose body are those of the pose mesh
    ) -> Transfer:
        """The identity in the pose of `rests` with the deformations of the pose body."""
        with torch.autocast(pose.device.type, enabled=False):
            found = [
                self._one(*bodies, rests) for bodies in zip(rests.identity, rests.pose, pose, strict=True)
            ]
        return Transfer(vertices=torch.stack(found).to(pose))

    def _one(self, target: Tensor, source: Tensor, posed: Tensor, rests: Rests) -> Tensor:  # (N, 3) each
        bodies = [
            (body.cpu().double().numpy(), faces.cpu().numpy())
            for body, faces in ((source, rests.pose_faces), (target, rests.identity_faces))
        ]
        before, after = (Poisson(*body).to("cpu", torch.float64) for body in bodies)
        field = jacobians(posed[None].cpu().double(), before.faces, before.inverses)
        maps = completed(field, before.tangents)
        return after(maps if self.ordered else maps[:, nearest_faces(*bodies)])[0]


def nearest_faces(
    source: tuple[Float, Faces],  # vertices (N, 3) and faces (F, 3)
    target: tuple[Float, Faces],  # vertices (M, 3) and faces (G, 3) of another body in the same pose
) -> np.ndarray:  # (G,)
    """For each face of the target the nearest one of the source, by middle and normal, with both in the unit cube."""
    there, here = (_places(*body) for body in (source, target))
    return KDTree(there).query(here)[1]


def _places(vertices: Float, faces: Faces) -> Float:
    """The middles of faces in a body's box, scaled to the unit cube, and their normals, (F, 6)."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    middles = ((vertices - low) / (high - low))[faces].mean(axis=1)
    return np.c_[middles, _NORMALS * unit(face_normals(vertices, faces))]
