"""Training of X-DualNet on any two meshes, without truths."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from repose.data.meshes import Batch, TrainingData
from repose.mesh.handles import deformed
from repose.methods.losses import TemplateEdges, weighted_edges
from repose.methods.transfer_recipe import TransferRecipe
from repose.methods.xdualnet.dual import dual_losses
from repose.methods.xdualnet.network import XDualNet
from repose.methods.xdualnet.settings import XDualNetSettings, XDualNetTraining


class XDualNetRecipe(TransferRecipe):
    """Train by dual reconstruction; the truths of other trainings are not read in this one."""

    network: XDualNet
    settings: XDualNetTraining

    def __init__(self, method: XDualNetSettings, network: nn.Module, data: TrainingData, seed: int):
        super().__init__(method, network, data, seed)
        self.faithful = method.faithful
        self.edges = TemplateEdges(*weighted_edges(data.store.faces), data.store.shape[1])

    def training_step(self, batch: Batch, index: int) -> dict[str, Tensor]:
        """Return the loss of one step and its terms; the network sees shuffled vertices."""
        s, step = self.settings, self.iteration
        order, pose_order = batch.identity_order[: s.points], batch.pose_order[: s.points]
        edges = self.edges.among(order)
        deform = None
        if s.arap_from is not None and step > s.arap_from:  # the present step is counted
            rng = np.random.default_rng([self.seed, 3, step])
            deform = partial(self.deform, identity=batch.identity, order=order, rng=rng)
        meshes = batch.identity[:, order], batch.pose[:, pose_order]
        losses = dual_losses(self.network, *meshes, edges, s, deform, self.faithful)
        loss = torch.stack([*losses.values()]).sum()
        return {"loss": loss, **{name: term.detach() for name, term in losses.items()}}

    def deform(self, out: Tensor, identity: Tensor, order: Tensor, rng: np.random.Generator) -> Tensor:
        """Deform each identity mesh as rigidly as possible; its handles are where the network put them.

        Args:
            out: (B, N, 3) metres, the network's output for the vertices `order`.
            identity: (B, V, 3) metres, in template order.
            order: (N,) int64.
            rng: draws the handles.
        """
        count = max(1, min(len(order), int(self.settings.arap_handles * identity.shape[1])))
        seen, faces, done = order.cpu().numpy(), self.data.store.faces, []
        for rest, made in zip(identity.double().cpu().numpy(), out.double().cpu().numpy(), strict=True):
            chosen = rng.choice(len(seen), count, replace=False)
            done.append(
                deformed(rest, faces, seen[chosen], made[chosen], self.settings.arap_iterations)[seen]
            )
        return torch.from_numpy(np.stack(done)).to(out)
