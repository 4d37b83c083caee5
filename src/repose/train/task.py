"""One training as a Lightning module: losses, optimiser, schedule."""

import math
from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader

from repose.config.models import Training
from repose.mesh.metrics import pmd
from repose.models.losses import edge_loss, reconstruction
from repose.models.shuffle import transfer_shuffled
from repose.train.batches import Batch, BatchStream, Triples, ValidationBatches


class TransferTask(LightningModule):
    """Trains `network` on triples; an "epoch" is the stretch of steps between two validations.

    Args:
        network: maps (identity (B, V, 3), pose (B, V, 3)) to a `Transfer`.
        settings: optimiser, schedule and length.
        edges: undirected edges (E, 2) of the template and their weights (E,) in the edge loss.
        train, val: triples.
        seed: fixes the order of triples and the vertex shuffles.
    """

    def __init__(
        self,
        network: nn.Module,
        settings: Training,
        edges: tuple[Tensor, Tensor],
        train: Triples,
        val: Triples,
        seed: int,
    ):
        super().__init__()
        self.network, self.settings, self.seed = network, settings, seed
        self.train_triples, self.val_triples = train, val
        self.edges: Tensor
        self.edge_weights: Tensor
        self.register_buffer("edges", edges[0], persistent=False)
        self.register_buffer("edge_weights", edges[1], persistent=False)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Batches up to the next validation; Lightning asks again at every epoch, and after a resume."""
        start = self.global_step
        stop = min(start + self.settings.validate_every, self.settings.steps)
        stream = BatchStream(self.train_triples, self.settings.batch, self.seed, start, stop)
        return DataLoader(stream, batch_size=None)

    def val_dataloader(self) -> DataLoader[Batch]:
        """All validation triples."""
        return DataLoader(ValidationBatches(self.val_triples, self.settings.batch), batch_size=None)

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Weighted reconstruction and edge loss of one batch."""
        out = transfer_shuffled(
            self.network, batch.identity, batch.pose, batch.identity_order, batch.pose_order
        )
        loss = self.settings.reconstruction_weight * reconstruction(out.vertices, batch.truth)
        if self.settings.edge_weight:
            loss = loss + self.settings.edge_weight * edge_loss(
                out.vertices, batch.identity, self.edges, self.edge_weights
            )
        self.log("loss", loss, batch_size=len(batch.identity))
        return loss

    def validation_step(self, batch: Batch, index: int) -> None:
        """Mean PMD of the validation triples."""
        out = transfer_shuffled(
            self.network, batch.identity, batch.pose, batch.identity_order, batch.pose_order
        )
        self.log("val_pmd_m2", pmd(out.vertices, batch.truth).mean(), batch_size=len(batch.identity))

    def configure_optimizers(self) -> Any:
        """Adam with the configured schedule, one update of the rate per step."""
        s = self.settings
        optimizer = torch.optim.Adam(self.network.parameters(), lr=s.learning_rate, betas=s.betas, eps=s.eps)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_factor(s))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def rate_factor(settings: Training) -> Callable[[int], float]:
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
