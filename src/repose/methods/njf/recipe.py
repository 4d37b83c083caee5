"""Training of Neural Jacobian Fields on triples with a truth and both bodies at rest."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from repose.data.meshes import Batch, TrainingData, Triples
from repose.methods.njf.network import Njf
from repose.methods.njf.settings import NjfSettings, NjfTraining
from repose.methods.settings import LearnedTransfer
from repose.methods.transfer_recipe import TransferRecipe
from repose.store.mesh_store import MeshStore


class NjfRecipe(TransferRecipe):
    """Train on errors of vertices about their mean and of Jacobians along the surface, from bodies at rest."""

    network: Njf
    settings: NjfTraining

    @classmethod
    def read(cls, method: LearnedTransfer, store: MeshStore, splits: pd.DataFrame) -> TrainingData:
        """Read all training and validation triples, with their truths and both bodies at rest.

        Raises:
            ReposeError: a body is missing in the rest pose.
        """
        assert isinstance(method, NjfSettings)
        roles = (splits[splits.role == role] for role in ("train", "val"))
        return TrainingData(store, *(Triples(store, rows, method.rest_pose) for rows in roles))

    def training_step(self, batch: Batch, index: int) -> dict[str, Tensor]:
        """Return the weighted losses of one batch."""
        assert batch.rests is not None
        templates = self.network.templates.of(batch.rests.identity, batch.rests.identity_faces)
        field = self.network.field(batch.pose, batch.rests, templates)
        vertices, jacobians = [], []
        for template, one, truth in zip(templates, field[:, None], batch.truth[:, None], strict=True):
            vertices.append(
                (template.vertices(one) - truth + truth.mean(dim=1, keepdim=True)).square().mean()
            )
            apart = template.tangential(one) - template.tangential(template.jacobians(truth))
            areas = template.poisson.area2 / template.poisson.area2.sum()
            jacobians.append(areas @ apart[0].square().mean((-2, -1)))
        losses = {
            "vertices": self.settings.reconstruction_weight * torch.stack(vertices).mean(),
            "jacobians": self.settings.jacobian_weight * torch.stack(jacobians).mean(),
        }
        loss = losses["vertices"] + losses["jacobians"]
        return {"loss": loss, **{name: term.detach() for name, term in losses.items()}}
