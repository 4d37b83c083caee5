"""What all trainings share: batches, validation, optimiser, schedule."""

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader

from repose.data.meshes import Batch, BatchStream, TrainingData, Triples, ValidationBatches
from repose.mesh.metrics import pmd
from repose.methods.interface import TransferNetwork
from repose.methods.settings import LearnedMethod, LearnedTransfer, Schedule, Told
from repose.methods.shuffle import transfer_shuffled
from repose.store.mesh_store import MeshStore


class TrainingRecipe(LightningModule):
    """Trains `network`; an "epoch" is the stretch of iterations between two validations.

    A recipe defines `read`, `training_step`, `batches` and the validation. A step returns the loss, or a dict of it
    (`loss`) and of its terms, which the learning curve shows.

    Args:
        method: its settings.
        network: what learns.
        data: what it learns from.
        seed: fixes the order of batches and all draws.
    """

    metric = ""  # what the validation logs, and the kept weights have least of
    settings: Any

    def __init__(self, method: LearnedMethod, network: nn.Module, data: Any, seed: int):
        super().__init__()
        self.network, self.settings, self.data, self.seed = network, method.training, data, seed

    @property
    def iteration(self) -> int:
        """Batches done, killed attempts included; Lightning's `global_step` counts each optimiser."""
        return self.trainer.fit_loop.epoch_loop.batch_progress.total.ready

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Make what a network draws (dropout) a function of seed and iteration, as batches are."""
        (state,) = np.random.SeedSequence([self.seed, 2, self.iteration]).generate_state(1)
        torch.manual_seed(int(state))

    def weights(self) -> dict[str, Tensor]:
        """What predicts: the weights of the network as they are now."""
        return self.network.state_dict()

    def batches(self, start: int, stop: int) -> Iterable[Any]:
        """Batches of iterations `start` … `stop` - 1, a pure function of seed and iteration."""
        raise NotImplementedError

    def train_dataloader(self) -> DataLoader[Any]:
        """Batches up to the next validation; Lightning asks again at every epoch, and after a resume."""
        start = self.iteration
        stop = min(start + self.settings.validate_every, self.settings.steps)
        return DataLoader(self.batches(start, stop), batch_size=None)  # type: ignore[arg-type]


class TransferRecipe(TrainingRecipe):
    """Transfers between meshes: `network` maps (identity (B, V, 3), pose (B, V, 3)) to a `Transfer`.

    A recipe defines `training_step`, and `batches` if it does not learn from triples with a truth.
    """

    metric = "val_pmd_m2"

    @staticmethod
    def open(store: Path) -> MeshStore:
        """The packed meshes."""
        return MeshStore(store)

    @classmethod
    def read(cls, method: LearnedTransfer, store: MeshStore, splits: pd.DataFrame) -> TrainingData:
        """All training and validation triples. A method that is not told truths has none of a training triple.

        The identity mesh stands in its place: the truth is not even read.
        """
        if Told.TRUTH not in method.told:
            blind = splits.truth_mesh.where(splits.role != "train", splits.identity_mesh)
            splits = splits.assign(truth_mesh=blind)
        return TrainingData(
            store, *(Triples(store, splits[splits.role == role]) for role in ("train", "val"))
        )

    def batches(self, start: int, stop: int) -> Iterable[Any]:
        """Triples with a truth; of several devices, each takes its share of every batch."""
        share = self.trainer.global_rank, self.trainer.world_size
        return BatchStream(self.data.train, self.settings.batch, self.seed, start, stop, *share)

    def val_dataloader(self) -> DataLoader[Batch]:
        """All validation triples."""
        return DataLoader(ValidationBatches(self.data.val, self.settings.batch), batch_size=None)

    def validation_step(self, batch: Batch, index: int) -> None:
        """Mean PMD of the validation triples."""
        out = transfer_shuffled(
            cast(TransferNetwork, self.network),
            batch.identity,
            batch.pose,
            batch.identity_order,
            batch.pose_order,
            batch.rests,
        )
        self.log(self.metric, pmd(out.vertices, batch.truth).mean(), batch_size=len(batch.identity))

    def configure_optimizers(self) -> Any:
        """Adam with the configured schedule, one update of the rate per step."""
        s = self.settings
        trainable = [p for p in self.network.parameters() if p.requires_grad]
        optimizer = torch.optim.Adam(trainable, lr=s.learning_rate, betas=s.betas, eps=s.eps)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_factor(s))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def rate_factor(settings: Schedule) -> Callable[[int], float]:
    """The learning rate of each step as a fraction of the peak."""
    steps, warmup = settings.steps, settings.warmup

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done = (step - warmup) / max(1, steps - warmup)
        if settings.schedule == "cosine":
            return 0.5 * (1 + math.cos(math.pi * done))
        if settings.schedule == "half-linear":
            return min(1.0, 2 * (1 - done))
        return 1.0

    return factor
