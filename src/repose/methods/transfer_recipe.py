"""The common part of the trainings on transfers between meshes."""

from collections.abc import Iterable
from typing import Any, cast

import pandas as pd
from torch.utils.data import DataLoader

from repose.data.meshes import Batch, TrainingData, Triples, training_batches, validation_batches
from repose.mesh.metrics import pmd
from repose.methods.interface import Faces, TransferNetwork
from repose.methods.recipe import TrainingRecipe
from repose.methods.settings import LearnedTransfer, Told
from repose.methods.shuffle import transfer_shuffled
from repose.store.mesh_store import MeshStore


class TransferRecipe(TrainingRecipe):
    """The training of transfers between meshes: `network` maps (identity (B, V, 3), pose (B, V, 3)) to a `Transfer`.

    A recipe defines `training_step`, and `batches` if it does not learn from triples with a truth.
    """

    metric = "val_pmd_m2"
    open = MeshStore

    @classmethod
    def read(cls, method: LearnedTransfer, store: MeshStore, splits: pd.DataFrame) -> TrainingData:
        """Read all training and validation triples; for a method that is not told truths, training truths are not read.

        The identity mesh takes the place of the truth.
        """
        if Told.TRUTH not in method.told:
            blind = splits.truth_mesh.where(splits.role != "train", splits.identity_mesh)
            splits = splits.assign(truth_mesh=blind)
        train, val = (splits[splits.role == role] for role in ("train", "val"))
        unit_area = method.sees_unit_area
        return TrainingData(
            store,
            Triples(store, train, unit_area=unit_area, augment=method.augmentation),
            Triples(store, val, unit_area=unit_area),
        )

    def batches(self, start: int, stop: int) -> Iterable[Any]:
        """Yield triples with a truth; with several devices, each takes its share of every batch."""
        share = self.trainer.global_rank, self.trainer.world_size
        return training_batches(self.data.train, self.settings.batch, self.seed, start, stop, *share)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return all validation triples."""
        return DataLoader(validation_batches(self.data.val, self.settings.batch), batch_size=None)

    def validation_step(self, batch: Batch, index: int) -> None:
        """Log the mean PMD of the validation triples."""
        out = transfer_shuffled(
            cast(TransferNetwork, self.network),
            batch.identity,
            batch.pose,
            batch.identity_order,
            batch.pose_order,
            Faces(batch.faces, batch.faces),
            batch.rests,
        )
        side = 1.0 if batch.side is None else batch.side
        error = pmd(out.vertices * side, batch.truth * side).mean()
        self.log(self.metric, error, batch_size=len(batch.identity))
