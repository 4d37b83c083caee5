"""How each face of a mesh at rest is turned and stretched by a pose: 3 × 3 Jacobians, by gather."""

from __future__ import annotations

import torch
from torch import Tensor


def jacobians(
    posed: Tensor,  # (B, V, 3)
    faces: Tensor,  # (F, 3) int64
    inverses: Tensor,  # (F, 2, 3) of the mesh at rest
) -> Tensor:
    """Jacobians (B, F, 3, 3) of the map from rest to pose, J[d, c] = ∂x_d / ∂rest_c.

    Rank 2 at most: across the face, J n = 0. The rest pose itself gives I - n nᵀ.
    """
    corners = posed.index_select(1, faces.flatten()).unflatten(1, faces.shape)
    edges = corners[:, :, 1:] - corners[:, :, :1]
    return edges.transpose(-1, -2) @ inverses


def completed(
    field: Tensor,  # (..., 3, 3)
    tangents: Tensor,  # (..., 2, 3) orthonormal, tangents[0] × tangents[1] = normal at rest
) -> Tensor:
    """Jacobians that also carry the normal at rest to the normal posed; what they said about it is dropped."""
    t, u = tangents[..., 0, :], tangents[..., 1, :]
    there = (field @ tangents.transpose(-1, -2)).transpose(-1, -2)
    normal = torch.linalg.cross(there[..., 0, :], there[..., 1, :])
    normal = normal / torch.linalg.vector_norm(normal, dim=-1, keepdim=True).clamp_min(1e-12)
    rest_normal = torch.linalg.cross(t, u)
    return there.transpose(-1, -2) @ tangents + normal[..., :, None] * rest_normal[..., None, :]
