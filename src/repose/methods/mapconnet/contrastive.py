"""Contrastive losses of MAPConNet (sec. 3.3 of the paper): triplet losses on Euclidean distances of features.

Features are (B, N, C), the first channels identity, the rest pose; they are not normalised and have no unit.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def transfer_contrast(
    out: Tensor,  # (B, N, C), of the warped mesh
    identity: Tensor,  # (B, N, C)
    pose: Tensor,  # (B, N, C), of each vertex's partner
    identity_channels: int,
    margin: float,
) -> Tensor:
    """Mesh-level loss of a transfer: the output has the identity of one input and the pose of the other."""
    (out_i, out_p), (id_i, id_p), (po_i, po_p) = (
        _halves(f, identity_channels) for f in (out, identity, pose)
    )
    return _mesh_triplet(out_i, id_i, po_i, margin) + _mesh_triplet(out_p, po_p, id_p, margin)


def cross_contrast(
    pose: Tensor,  # (B, N, C)
    identity: Tensor,  # (B, N, C), the same body in another pose, with the same order of vertices
    out: Tensor,  # (B, N, C), of the warped mesh
    identity_channels: int,
    margin: float,
) -> Tensor:
    """Mesh-level loss of one body in two poses: both share the identity half, and the output shares the pose half."""
    (out_i, out_p), (id_i, id_p), (po_i, po_p) = (
        _halves(f, identity_channels) for f in (out, identity, pose)
    )
    return _mesh_triplet(po_i, id_i, out_i, margin) + _mesh_triplet(po_p, out_p, id_p, margin)


def point_contrast(
    out: Tensor,  # (B, N, C), of the warped mesh
    identity: Tensor,  # (B, N, C), its vertices in random order
    margin: float,
) -> Tensor:
    """Point-level loss: a vertex must be nearer to its own feature than to that of the next vertex, which is random."""
    near, far = _distances(out, identity), _distances(out, identity.roll(-1, dims=1))
    return F.relu(near - far + margin).mean()


def _mesh_triplet(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    gap = (_distances(anchor, positive) - _distances(anchor, negative)).mean(dim=1)
    return F.relu(gap + margin).mean()


def _halves(features: Tensor, identity_channels: int) -> tuple[Tensor, Tensor]:
    return features[..., :identity_channels], features[..., identity_channels:]


def _distances(first: Tensor, second: Tensor) -> Tensor:
    difference = first - second
    wide = torch.promote_types(difference.dtype, torch.float32)
    return torch.linalg.vector_norm(difference, dim=-1, dtype=wide)
