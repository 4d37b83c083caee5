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
        self.vertex_count = train.store.shape[1]
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
        """Weighted sum of the losses of one batch, of which the network sees shuffled vertices."""
        order = batch.identity_order[: self.settings.points]
        identity, truth = batch.identity[:, order], batch.truth[:, order]
        out = self.network(identity, batch.pose[:, batch.pose_order[: self.settings.points]])
        loss = self.settings.reconstruction_weight * reconstruction(out.vertices, truth)
        if self.settings.edge_weight:
            edges, weights = seen_edges(self.edges, self.edge_weights, order, self.vertex_count)
            loss = loss + self.settings.edge_weight * edge_loss(out.vertices, identity, edges, weights)
        if self.settings.warp_weight and out.warp is not None:
            loss = loss + self.settings.warp_weight * reconstruction(out.warp, truth)
        self.log("loss", loss, batch_size=len(identity))
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
        trainable = [p for p in self.network.parameters() if p.requires_grad]
        optimizer = torch.optim.Adam(trainable, lr=s.learning_rate, betas=s.betas, eps=s.eps)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_factor(s))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def seen_edges(
    edges: Tensor,  # (E, 2) of the template
    weights: Tensor,  # (E,)
    order: Tensor,  # (N,) template vertices that the network sees, in the order it sees them
    vertex_count: int,
) -> tuple[Tensor, Tensor]:
    """The edges with both ends among `order`, in its numbering, their weights scaled to the same sum."""
    place = order.new_full((vertex_count,), -1)
    place[order] = torch.arange(len(order), device=order.device)
    moved = place[edges]
    seen = (moved >= 0).all(dim=1)
    kept = weights[seen]
    return moved[seen], kept * (weights.sum() / kept.sum())


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
