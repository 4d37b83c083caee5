"""Training of MAPConNet: supervised, semi-supervised or unsupervised, by the labelled share of the training split."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from torch import Tensor, nn

from repose.data.batches import Batches
from repose.data.meshes import Batch, TrainingData, Triples, training_batches
from repose.data.unlabelled import (
    MeshesByIdentity,
    Numbers,
    UnlabelledBatch,
    same_body_triples,
    unlabelled_batch,
)
from repose.errors import ReposeError
from repose.methods.mapconnet.consistency import labelled_loss, unlabelled_loss
from repose.methods.mapconnet.network import MapConNet as Network
from repose.methods.mapconnet.settings import MapConNetSettings, MapConNetTraining
from repose.methods.settings import LearnedTransfer
from repose.methods.supervised import SupervisedRecipe
from repose.store.mesh_store import MeshStore


@dataclass(frozen=True)
class MapConNetData(TrainingData):
    """The data of MAPConNet: triples with truths of the labelled part only, and meshes without truths.

    Attributes:
        labelled: meshes of the labelled identities and poses; None if nothing is labelled.
        unlabelled: meshes of the other identities and poses; None if the training does not use them.
    """

    labelled: MeshesByIdentity | None
    unlabelled: MeshesByIdentity | None


class MapConNetRecipe(SupervisedRecipe):
    """Train by iterations with truths, without truths, or both in turn."""

    network: Network
    settings: MapConNetTraining
    data: MapConNetData

    @classmethod
    def read(cls, method: LearnedTransfer, store: MeshStore, splits: pd.DataFrame) -> MapConNetData:
        """Read the labelled part of the training triples, and the other meshes; without labels, no truth is read.

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
            Triples(store, train, unit_area=method.unit_area, augment=settings.augment),
            Triples(store, val, unit_area=method.unit_area),
            MeshesByIdentity(store, labelled, method.unit_area) if mixed else None,
            MeshesByIdentity(store, everything.without(labelled), method.unit_area)
            if settings.unlabelled
            else None,
        )

    def compiled(self) -> list[nn.Module]:
        """Return nothing to compile, because the losses call parts of the network."""
        return []

    def batches(self, start: int, stop: int) -> Batches[Batch | UnlabelledBatch]:
        """Yield the batches of iterations `start` … `stop` - 1."""
        return Batches(range(start, stop), partial(batch_of, self.data, self.settings.batch, self.seed))

    def training_step(self, batch: Batch | UnlabelledBatch, index: int) -> Tensor:
        """Return the weighted loss of one iteration, whose vertices the network sees shuffled."""
        count = self.settings.points
        if isinstance(batch, UnlabelledBatch):
            order, other_order = batch.body_order[:count], batch.other_order[:count]
            edges = self.edges.among(order)
            meshes = batch.other[:, other_order], batch.pose[:, order], batch.same[:, order]
            return unlabelled_loss(self.network, *meshes, edges, self.settings)
        order, pose_order = batch.identity_order[:count], batch.pose_order[:count]
        edges = self.edges.among(order)
        identity, truth = batch.identity[:, order], batch.truth[:, order]
        pose, shape = batch.pose[:, pose_order], self.shape(identity, truth)
        return labelled_loss(self.network, identity, pose, truth, shape, edges, self.settings)


def batch_of(data: MapConNetData, size: int, seed: int, step: int) -> Batch | UnlabelledBatch:
    """Return the batch of an iteration, which depends on seed and iteration alone.

    With both kinds of data every other iteration has truths. The iterations between cycle through three cases: body B
    is from the labelled part and A from the unlabelled part, the other way round, and both from the unlabelled part.
    """
    if data.unlabelled is None or (data.labelled is not None and step % 2 == 0):
        count = step if data.unlabelled is None else step // 2
        (batch,) = training_batches(data.train, size, seed, count, count + 1)
        return batch
    others = bodies = data.unlabelled
    if data.labelled is not None:
        others = data.labelled if step % 6 == 1 else others
        bodies = data.labelled if step % 6 == 3 else bodies
    return unlabelled_batch(others, bodies, size, np.random.default_rng([seed, 2, step]))
