"""Rotation of faces on a found correspondence: deformation transfer where only two meshes are given.

A trained network finds each vertex of the identity on the pose mesh. Only the rotations of faces are taken from that,
as `rotations` takes them from the true correspondence; the network's generator, which would refine the result, is not
used.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from repose.methods.corenet.network import CoreNet
from repose.methods.interface import Faces, Transfer, check_pair
from repose.methods.matched.sound import turned_where_sound

_ROWS = 1024  # vertices whose features are compared at a time


class MatchedCoreNet(CoreNet):
    """The matching of 3D-CoreNet, followed by rotation of the identity's faces.

    Args:
        matching: `plan`: the coarse warp; or `nearest`: the vertex of the nearest feature.
        settings: those of the `CoreNet` whose weights it uses.
    """

    sees_faces = True

    def __init__(self, matching: Literal["plan", "nearest"] = "plan", **settings: Any):
        super().__init__(**settings)
        self.matching = matching

    def forward(  # type: ignore[override]
        self,
        identity: Tensor,  # (B, N_id, 3), metres, centred by its bounding box
        pose: Tensor,  # (B, N_po, 3), metres, centred by its bounding box
        faces: Faces,
    ) -> Transfer:
        """Rotate the identity's faces as on the pose mesh; the warp holds the places found for its vertices there.

        Raises:
            ReposeError: wrong shapes, or a face of an identity mesh has no area.
        """
        check_pair(identity, pose)
        f_identity, f_pose = self.correspondence.encode_each(identity, pose)
        queries, keys = self.correspondence.queries(f_identity), self.correspondence.keys(f_pose)
        match = self.correspondence.warp if self.matching == "plan" else nearest
        found = match(queries, keys, pose)
        corners = faces.identity.cpu().numpy()
        posed = [
            turned_where_sound(rest.double().cpu().numpy(), corners, there.double().cpu().numpy())
            for rest, there in zip(identity, found, strict=True)
        ]
        return Transfer(torch.stack([torch.from_numpy(mesh) for mesh in posed]).to(identity), found)


def nearest(
    queries: Tensor,  # (B, N_id, C), of unit length
    keys: Tensor,  # (B, N_po, C), of unit length
    points: Tensor,  # (B, N_po, 3), metres
) -> Tensor:  # (B, N_id, 3), metres
    """Return for each query the point whose key is nearest."""
    best = torch.cat([(some @ keys.mT).argmax(dim=-1) for some in queries.split(_ROWS, dim=1)], dim=1)
    return points.gather(1, best[..., None].expand(-1, -1, 3))
