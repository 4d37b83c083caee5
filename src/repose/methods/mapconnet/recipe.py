"""MAPConNet: supervised, semi-supervised or unsupervised, by how much of the training split is labelled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch import Tensor, nn
from torch.utils.data import IterableDataset

from repose.data.meshes import Batch, BatchStream, TrainingData, Triples
from repose.data.unlabelled import Bodies, Numbers, UnlabelledBatch, same_body_triples, unlabelled_batch
from repose.errors import ReposeError
from repose.methods.mapconnet.consistency import labelled_loss, unlabelled_loss
from repose.methods.mapconnet.network import MapConNet as Network
from repose.methods.mapconnet.settings import MapConNetSettings, MapConNetTraining
from repose.methods.settings import LearnedTransfer
from repose.methods.supervised import SupervisedRecipe, seen_edges
from repose.store.mesh_store import MeshStore


@dataclass(frozen=True)
class MapConNetData(TrainingData):
    """What MAPConNet may read: triples with truths of the labelled part only, and meshes without any.

    Attributes:
        labelled: meshes of the labelled identities and poses; None if there are none, or they are not needed.
        unlabelled: meshes of the other identities and poses; None if the training does not use them.
    """

    labelled: Bodies | None
    unlabelled: Bodies | None


class MapConNetRecipe(SupervisedRecipe):
    """Iterations with truth, without, or both in turn."""

    network: Network
    settings: MapConNetTraining
    data: MapConNetData

    @classmethod
    def read(cls, method: LearnedTransfer, store: MeshStore, splits: pd.DataFrame) -> MapConNetData:
        """The labelled part of the training triples, and the other meshes; no truth if nothing is labelled.

        Raises:
            ReposeError: no triple is left, or too few meshes are.
        """
        assert isinstance(method, MapConNetSettings)
        settings = method.training
        train, val = (splits[splits.role == role] for role in ("train", "val"))
        everything = Numbers.seen_in(train)
        labelled = everything.labelled(settings.labelled)
        if settings.labelled == 0:
            train, val = train.iloc[:0].assign(truth_mesh=""), same_body_triples(store, val)
        elif (train := labelled.triples(train)).empty:
            raise ReposeError(
                f"no training triple is within the {settings.labelled:g} % that are labelled",
                hint="raise training.labelled, or draw more pairs",
            )
        mixed = settings.unlabelled and settings.labelled > 0
        return MapConNetData(
            store,
            Triples(store, train, unit_area=method.unit_area),
            Triples(store, val, unit_area=method.unit_area),
            Bodies(store, labelled, method.unit_area) if mixed else None,
            Bodies(store, everything.without(labelled), method.unit_area) if settings.unlabelled else None,
        )

    def compiled(self) -> list[nn.Module]:
        """Nothing: the losses ask the network for its parts."""
        return []

    def batches(self, start: int, stop: int) -> Stream:
        """Batches of iterations `start` … `stop` - 1."""
        return Stream(self.data, self.settings.batch, self.seed, start, stop)

    def training_step(self, batch: Batch | UnlabelledBatch, index: int) -> Tensor:
        """Weighted loss of one iteration, of which the network sees shuffled vertices."""
        count = self.settings.points
        if isinstance(batch, UnlabelledBatch):
            order, other_order = batch.body_order[:count], batch.other_order[:count]
            edges = seen_edges(self.edges, self.edge_weights, order, self.vertex_count)
            meshes = batch.other[:, other_order], batch.pose[:, order], batch.same[:, order]
            loss = unlabelled_loss(self.network, *meshes, edges, self.settings)
        else:
            order, pose_order = batch.identity_order[:count], batch.pose_order[:count]
            edges = seen_edges(self.edges, self.edge_weights, order, self.vertex_count)
            meshes = batch.identity[:, order], batch.pose[:, pose_order], batch.truth[:, order]
            loss = labelled_loss(self.network, *meshes, edges, self.settings)
        self.log("loss", loss, batch_size=len(batch.pose))
        return loss


class Stream(IterableDataset[Batch | UnlabelledBatch]):
    """Batches of iterations `start` … `stop` - 1, each a function of seed and iteration alone.

    With both kinds of data every other iteration has truths; of those between, in turn, body B is of the labelled and
    A of the unlabelled part, B of the unlabelled and A of the labelled, and both of the unlabelled.
    """

    def __init__(self, data: MapConNetData, size: int, seed: int, start: int, stop: int):
        self.data, self.size, self.seed = data, size, seed
        self.start, self.stop = start, stop

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self) -> Iterator[Batch | UnlabelledBatch]:
        for step in range(self.start, self.stop):
            yield self._batch(step)

    def _batch(self, step: int) -> Batch | UnlabelledBatch:
        labelled, unlabelled = self.data.labelled, self.data.unlabelled
        if unlabelled is None:
            return self._with_truths(step)
        if labelled is None:
            others = bodies = unlabelled
        elif step % 2 == 0:
            return self._with_truths(step // 2)
        else:
            others = labelled if step % 6 == 1 else unlabelled
            bodies = labelled if step % 6 == 3 else unlabelled
        return unlabelled_batch(others, bodies, self.size, np.random.default_rng([self.seed, 2, step]))

    def _with_truths(self, count: int) -> Batch:
        return next(iter(BatchStream(self.data.train, self.size, self.seed, count, count + 1)))
