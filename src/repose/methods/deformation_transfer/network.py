"""Deformation transfer: each face of the identity is deformed as its corresponding face of the pose body."""

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

_NORMALS = 0.1  # weight of a normal against a place, as a share of the side of the box


class DeformationTransfer(nn.Module, TransferNetwork):
    """Deformation transfer between two bodies (Sumner and Popović, SIGGRAPH 2004, section 3).

    The paper adds a fourth vertex to each face, so that the affine map S = V(posed) V(rest)⁻¹ of the face also covers
    the direction across it, and minimises Σ ‖S_f - T_f‖² over the target's vertices. Without those vertices that is a
    Poisson equation on the target with the field S. Here faces are weighted by their areas, and S maps the unit normal
    at rest to the posed unit normal; a test compares the result with the paper's own system. There are no markers, from
    which the paper finds the correspondence: the correspondence is given, or pairs each face with the nearest one.
    """

    def __init__(self, rest_pose: RestPose, correspondence: Literal["true", "nearest"] = "true"):
        super().__init__()
        self.rest_pose, self.ordered = rest_pose, correspondence == "true"

    def forward(
        self,
        identity: Tensor,  # (B, N_id, 3) metres, not used: the body in the pose of `rests` is deformed
        pose: Tensor,  # (B, N_po, 3) metres
        rests: Rests,  # the vertices and faces of its pose body are those of the pose mesh
    ) -> Transfer:
        """Return the identity at rest of `rests`, deformed as the pose body is."""
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
    """Return for each face of the target the nearest face of the source, by middle and normal in the unit cube."""
    there, here = (_places(*body) for body in (source, target))
    return KDTree(there).query(here)[1]


def _places(vertices: Float, faces: Faces) -> Float:
    """Return the middles of faces, scaled with the body's box to the unit cube, and their weighted normals, (F, 6)."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    middles = ((vertices - low) / (high - low))[faces].mean(axis=1)
    return np.c_[middles, _NORMALS * unit(face_normals(vertices, faces))]
