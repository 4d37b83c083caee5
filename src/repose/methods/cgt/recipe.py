"""Supervised transfer with CGT's central-geodesic loss: how each vertex lies among its neighbours."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from repose.data.meshes import Batch, TrainingData
from repose.mesh.operators import unique_edges
from repose.methods.cgt.settings import CgtSettings, CgtTraining
from repose.methods.losses import TemplateEdges, edge_loss, reconstruction
from repose.methods.settings import LearnedTransfer
from repose.methods.supervised import SupervisedRecipe


def central_edges(
    faces: np.ndarray,  # (F, 3), int
) -> tuple[Tensor, Tensor]:
    """Return the undirected edges (E, 2) int64 of a triangle mesh, and their weights (E,) in the central loss.

    The published term of a vertex is the mean over its neighbours and three coordinates, so the weight of an edge is
    the sum, over its two ends, of one over three times the number of neighbours.
    """
    edges = unique_edges(faces)
    neighbours = np.bincount(edges.ravel())
    return torch.from_numpy(edges).long(), torch.from_numpy((1 / neighbours[edges]).sum(1) / 3).float()


def edges_of_first(
    edges: Tensor,  # (E, 2) int64
) -> tuple[Tensor, Tensor]:
    """Return the edges at vertex 0, and their weights in the mean over its neighbours and three coordinates."""
    found = edges[(edges == 0).any(dim=1)]
    return found, torch.full(found.shape[:1], 1 / (3 * max(1, len(found))), device=edges.device)


def central_loss(
    predicted: Tensor,  # (B, N, 3), metres
    truth: Tensor,  # (B, N, 3), metres
    edges: Tensor,  # (E, 2), int64
    weights: Tensor,  # (E,)
) -> Tensor:
    """Return the mean over the batch of Σ_e weight_e · | predicted edge vector - true edge vector |², m²."""
    error = predicted - truth
    apart = error.index_select(1, edges[:, 0]) - error.index_select(1, edges[:, 1])
    return (apart.square().sum(-1) @ weights.to(apart.dtype)).mean()


class CgtRecipe(SupervisedRecipe):
    """Train on the mean squared error to the truth, the edge lengths of the identity, and the central-geodesic loss."""

    settings: CgtTraining

    def __init__(self, method: LearnedTransfer, network: nn.Module, data: TrainingData, seed: int):
        super().__init__(method, network, data, seed)
        assert isinstance(method, CgtSettings)
        self.faithful = method.faithful
        self.central_edges = TemplateEdges(*central_edges(data.store.faces), data.store.shape[1])

    def training_step(self, batch: Batch, index: int) -> dict[str, Tensor]:  # type: ignore[override]
        """Return the loss of one batch, whose vertices the network sees shuffled, and its terms."""
        s, order = self.settings, batch.identity_order[: self.settings.points]
        identity, truth = batch.identity[:, order], batch.truth[:, order]
        out = self.network(identity, batch.pose[:, batch.pose_order[: s.points]]).vertices
        edges, central = self.edges.among(order), self.central_edges.among(order)
        if self.faithful:
            central = edges_of_first(central[0])
        losses = {
            "vertices": s.reconstruction_weight * reconstruction(out, truth),
            "edges": s.edge_weight * edge_loss(out, self.shape(identity, truth), *edges),
            "central": s.central_weight * central_loss(out, truth, *central),
        }
        loss = torch.stack([*losses.values()]).sum()
        return {"loss": loss, **{name: term.detach() for name, term in losses.items()}}
