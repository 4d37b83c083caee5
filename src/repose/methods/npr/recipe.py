"""Autoencoding of one body in many poses (Neural Pose Representation, eq. 4), without other bodies or truths."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor, nn

from repose.data.meshes import Batch, TrainingData, Triples, centred
from repose.data.unlabelled import Numbers
from repose.methods.npr.neighbour_store import known_neighbours
from repose.methods.npr.network import Npr
from repose.methods.npr.settings import NprSettings, NprTraining
from repose.methods.settings import LearnedTransfer
from repose.methods.transfer_recipe import TransferRecipe
from repose.store.mesh_store import MeshStore


class NprRecipe(TransferRecipe):
    """Train on errors of vertices and of Jacobians along the surface, of the source body decoded from its own code."""

    network: Npr
    settings: NprTraining

    def __init__(self, method: LearnedTransfer, network: nn.Module, data: TrainingData, seed: int):
        super().__init__(method, network, data, seed)
        self.network.known = known_neighbours(self.network, data.given)
        assert data.train.rests is not None
        rest = centred(data.store.vertices(data.train.rests[:1, 0]))
        (self.template,) = self.network.templates.of(rest, torch.from_numpy(data.store.faces).long())

    @classmethod
    def read(cls, method: LearnedTransfer, store: MeshStore, splits: pd.DataFrame) -> TrainingData:
        """Read the source body in every training pose, and validation triples with their truths.

        Raises:
            ReposeError: the source body is not in the training part, or a body is missing in the rest pose.
        """
        assert isinstance(method, NprSettings)
        train, val = (splits[splits.role == role] for role in ("train", "val"))
        numbers = Numbers.seen_in(train)
        source = numbers.source(method.training.source)
        posed = pd.Series([store.mesh_ids[row] for row in numbers.rows(store, source)])
        own = pd.DataFrame({"identity_mesh": posed, "pose_mesh": posed, "truth_mesh": posed})
        rest = method.rest_pose
        return TrainingData(store, Triples(store, own, rest), Triples(store, val, rest))

    @torch.no_grad()
    def weights(self) -> dict[str, Tensor]:
        """Return the weights and the codes of the training poses, from which codes can be refined for a target."""
        template, rows = self.template.to(self.device), self.data.train.rows[:, 1]
        codes = [
            self.network.encode(centred(self.data.store.vertices(rows[[k]])).to(self.device), [template])
            for k in range(len(rows))
        ]
        points = codes[0].points if self.network.anchors == "rest" else torch.cat([c.points for c in codes])
        features = torch.cat([c.features for c in codes])
        return super().weights() | {"code_points": points, "code_features": features}

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Return the weighted losses of one batch."""
        template = self.template.to(self.device)
        code = self.network.encode(batch.pose, [template] * len(batch.pose))
        field = self.network.decode(code, [template])
        out, truth = template.vertices(field), batch.pose - batch.pose.mean(dim=1, keepdim=True)
        loss = self.settings.reconstruction_weight * (out - truth).square().mean()
        if self.settings.jacobian_weight:
            apart = template.tangential(field) - template.tangential(template.jacobians(batch.pose))
            areas = template.poisson.area2 / template.poisson.area2.sum()
            loss = loss + self.settings.jacobian_weight * (areas @ apart.square().sum((-2, -1)).mean(0))
        return loss
