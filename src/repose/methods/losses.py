"""Training losses of the supervised systems."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.mesh.operators import edge_uses


def reconstruction(
    predicted: Tensor,  # (B, N, 3), metres
    truth: Tensor,  # (B, N, 3), metres
) -> Tensor:
    """Return the mean squared difference over batch, vertices and coordinates, m² (NPT eq. 4, 3D-CoreNet eq. 9)."""
    return F.mse_loss(predicted, truth)


def weighted_edges(
    faces: np.ndarray,  # (F, 3), int
) -> tuple[Tensor, Tensor]:
    """Return the undirected edges (E, 2) int64 of a mesh, and their weights (E,): faces at the edge / all faces.

    With these weights `edge_loss` equals the published loop over faces on any mesh; on a closed one each
    weight is 3 / E, so that the loss is three times the mean over edges.
    """
    edges, uses = edge_uses(faces)
    return torch.from_numpy(edges).long(), torch.from_numpy(uses / len(faces)).float()


def edge_loss(
    predicted: Tensor,  # (B, N, 3), metres
    identity: Tensor,  # (B, N, 3), metres: its edge lengths are the target
    edges: Tensor,  # (E, 2), int64
    weights: Tensor,  # (E,)
) -> Tensor:
    """Return the mean over the batch of Σ_e weight_e · | predicted length / identity length - 1 |, no unit.

    Edges of length zero in the identity mesh have no ratio and are left out; the released code divides by zero there. A
    predicted edge of length zero counts with an error of 1 and gives no gradient, as no direction is better than
    another; the square root of the released code gives a gradient that is not finite.
    """
    target = _lengths(identity, edges)
    real = target > 0
    ratio = _lengths(predicted, edges) / torch.where(real, target, 1)
    return (((ratio - 1).abs() * real) @ weights.to(ratio.dtype)).mean()


class TemplateEdges(nn.Module):
    """The edges of a template, from which those of a step's vertices are taken; they move devices with their recipe.

    Args:
        edges, weights: (E, 2), int64, and (E,), as `weighted_edges` gives them.
        vertices: number of vertices of the template.
    """

    edges: Tensor
    weights: Tensor

    def __init__(self, edges: Tensor, weights: Tensor, vertices: int):
        super().__init__()
        self.vertices = vertices
        self.register_buffer("edges", edges, persistent=False)
        self.register_buffer("weights", weights, persistent=False)

    def among(
        self,
        order: Tensor,  # (N,) template vertices that the network sees, in the order it sees them
    ) -> tuple[Tensor, Tensor]:
        """Return the edges with both ends among `order`, in its numbering, with weights scaled to the same sum."""
        place = order.new_full((self.vertices,), -1)
        place[order] = torch.arange(len(order), device=order.device)
        moved = place[self.edges]
        if len(order) == self.vertices:  # decided without asking a GPU, which would wait
            return moved, self.weights
        seen = (moved >= 0).all(dim=1).nonzero()[:, 0]
        kept = self.weights[seen]
        return moved[seen], kept * (self.weights.sum() / kept.sum())


def _lengths(vertices: Tensor, edges: Tensor) -> Tensor:
    # One row per vertex holds the whole batch, so gathers move long contiguous rows.
    rows = vertices.transpose(0, 1).flatten(1)
    difference = rows.index_select(0, edges[:, 0]) - rows.index_select(0, edges[:, 1])
    return torch.linalg.vector_norm(difference.unflatten(1, (-1, 3)), dim=-1).T
