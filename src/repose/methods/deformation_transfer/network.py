"""Every face of the identity at rest is deformed as the same face of the pose body was, from rest to its pose."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from repose.mesh.poisson import Poisson, completed, jacobians
from repose.mesh.rests import Rests
from repose.methods.interface import Transfer, TransferNetwork


class DeformationTransfer(nn.Module, TransferNetwork):
    """Deformation transfer between bodies of one topology (Sumner and Popović, SIGGRAPH 2004, section 3).

    The paper adds a fourth vertex to each face, so that its affine map S = V(posed) V(rest)⁻¹ says what happens across
    the face, too, and minimises Σ ‖S_f - T_f‖² over the target's vertices. Without those vertices that is a Poisson
    equation on the target with the field S. Here the faces weigh by their areas, and S carries the unit normal at rest
    to the unit normal posed; a test holds the result to the paper's own system.
    """

    ordered = True

    def __init__(self, rest_pose: int):
        super().__init__()
        self.rest_pose = rest_pose

    def forward(
        self,
        identity: Tensor,  # (B, N, 3) metres, not used: its pose says nothing about the result
        pose: Tensor,  # (B, N, 3) metres
        rests: Rests,  # whose vertices and faces are those of the pose mesh
    ) -> Transfer:
        """The identity at rest with the deformations of the pose body."""
        with torch.autocast(pose.device.type, enabled=False):
            found = [
                self._one(*bodies, rests) for bodies in zip(rests.identity, rests.pose, pose, strict=True)
            ]
        return Transfer(vertices=torch.stack(found).to(pose))

    def _one(self, target: Tensor, source: Tensor, posed: Tensor, rests: Rests) -> Tensor:  # (N, 3) each
        faces = rests.pose_faces.cpu().numpy()
        before, after = (
            Poisson(body.cpu().numpy(), faces).to("cpu", torch.float64) for body in (source, target)
        )
        field = jacobians(posed[None].cpu().double(), before.faces, before.inverses)
        return after(completed(field, before.tangents))[0]
