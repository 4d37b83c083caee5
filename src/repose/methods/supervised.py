"""Supervised transfer: the truth of each triple is known (NPT, 3D-CoreNet)."""

import pandas as pd
from torch import Tensor, nn

from repose.data.meshes import Batch, TrainingData
from repose.errors import ReposeError
from repose.methods.losses import TemplateEdges, edge_loss, reconstruction, weighted_edges
from repose.methods.settings import LearnedTransfer, Told
from repose.methods.transfer_recipe import TransferRecipe
from repose.store.mesh_store import MeshStore


class SupervisedRecipe(TransferRecipe):
    """Train on the mean squared error to the truth, the edge lengths of the identity, and the error of a coarse warp.

    The network sees two shuffled meshes; a network that is told more has its own recipe.
    """

    def __init__(self, method: LearnedTransfer, network: nn.Module, data: TrainingData, seed: int):
        super().__init__(method, network, data, seed)
        self.edges = TemplateEdges(*weighted_edges(data.store.faces), data.store.shape[1])
        self.rough = method.augmentation is not None and method.augmentation.noise > 0

    @classmethod
    def read(cls, method: LearnedTransfer, store: MeshStore, splits: pd.DataFrame) -> TrainingData:
        """Read all training and validation triples, with their truths.

        Raises:
            ReposeError: by its settings, the method is told something other than truths.
        """
        if method.told != {Told.TRUTH}:
            told = " and ".join(sorted(method.told)) or "nothing"
            raise ReposeError(
                f"{method.architecture} says that it is told {told}; the supervised training tells truths alone",
                hint="change `told` of its settings, or give it a `recipe` of its own",
            )
        return super().read(method, store, splits)

    def compiled(self) -> list[nn.Module]:
        """Return the network, as a map from both meshes to the transfer."""
        return [self.network]

    def shape(self, identity: Tensor, truth: Tensor) -> Tensor:
        """The mesh (B, N, 3) whose edge lengths a result should have: the truth, where the identity was made rough."""
        return truth if self.rough else identity

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Return the weighted sum of the losses of one batch, whose vertices the network sees shuffled."""
        order = batch.identity_order[: self.settings.points]
        identity, truth = batch.identity[:, order], batch.truth[:, order]
        out = self.network(identity, batch.pose[:, batch.pose_order[: self.settings.points]])
        loss = self.settings.reconstruction_weight * reconstruction(out.vertices, truth)
        if self.settings.edge_weight:
            shape = self.shape(identity, truth)
            loss = loss + self.settings.edge_weight * edge_loss(out.vertices, shape, *self.edges.among(order))
        if self.settings.warp_weight and out.warp is not None:
            loss = loss + self.settings.warp_weight * reconstruction(out.warp, truth)
        return loss
