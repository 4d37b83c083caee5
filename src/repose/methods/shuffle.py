"""Run a network on shuffled vertices, so that no method sees the true correspondence by accident."""

import torch
from torch import Tensor

from repose.mesh.rests import Rests
from repose.methods.interface import Faces, Transfer, TransferNetwork


def transfer_shuffled(
    network: TransferNetwork,
    identity: Tensor,  # (B, N_id, 3) metres
    pose: Tensor,  # (B, N_po, 3) metres
    identity_order: Tensor,  # (N_id,) int64 permutation
    pose_order: Tensor,  # (N_po,) int64 permutation
    faces: Faces,  # of both meshes in their own order, for a network that sees them
    rests: Rests | None = None,  # for a network with a `rest_pose`
) -> Transfer:
    """Shuffle both meshes, run the network, and put its output back into the identity mesh's own order.

    A network that is `ordered` uses the shared vertex order on purpose, so its meshes are not shuffled. A network that
    knows bodies at rest sees which vertices of one body belong together, but never which vertices of the two bodies do.
    """
    if rests is not None:
        return network(identity, pose, rests)
    if network.ordered:
        return network(identity, pose)
    back, pose_back = torch.argsort(identity_order), torch.argsort(pose_order)
    seen = (Faces(back[faces.identity], pose_back[faces.pose]),) if network.sees_faces else ()
    out = network(identity[:, identity_order], pose[:, pose_order], *seen)
    warp = None if out.warp is None else out.warp[:, back]
    predicted_error = None if out.predicted_error is None else out.predicted_error[:, back]
    return Transfer(out.vertices[:, back], warp, predicted_error)
