"""The common part of all trainings: batches, validation, optimiser, schedule."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader

from repose.data.batches import Prefetched
from repose.methods.settings import LearnedMethod, Schedule


class TrainingRecipe(LightningModule):
    """Trains `network`; an "epoch" is the stretch of iterations between two validations.

    A recipe defines `open` (for the packed data), `read`, `training_step`, `batches`, `val_dataloader`, and
    `validation_step` if validation does not use the loss. A step returns the loss, or a dict with the loss (`loss`) and
    its terms, which the learning curve shows.

    Args:
        method: settings of the method.
        network: the network that is trained.
        data: the training and validation data.
        seed: fixes the order of batches and all draws.
    """

    metric = ""  # name of the validation metric; the weights with its smallest value are kept
    settings: Any

    def __init__(self, method: LearnedMethod, network: nn.Module, data: Any, seed: int):
        super().__init__()
        self.network, self.settings, self.data, self.seed = network, method.training, data, seed

    @property
    def iteration(self) -> int:
        """Return the number of batches done, over all attempts; Lightning's `global_step` counts each optimiser."""
        return self.trainer.fit_loop.epoch_loop.batch_progress.total.ready

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Seed the network's own draws (dropout) by training seed and iteration, as batches are."""
        (state,) = np.random.SeedSequence([self.seed, 2, self.iteration]).generate_state(1)
        torch.manual_seed(int(state))

    def compiled(self) -> list[nn.Module]:
        """Return the networks to compile, each as one graph; an empty list: nothing is compiled."""
        return []

    def weights(self) -> dict[str, Tensor]:
        """Return the weights that predictions use: those of the network at present."""
        return self.network.state_dict()

    def batches(self, start: int, stop: int) -> Iterable[Any]:
        """Yield the batches of iterations `start` … `stop` - 1, a pure function of seed and iteration."""
        raise NotImplementedError

    def validation_step(self, batch: Any, index: int) -> None:
        """Log the loss of a validation batch."""
        loss: Any = self.training_step(batch, index)
        self.log(self.metric, loss, batch_size=len(batch[0]))

    def configure_optimizers(self) -> Any:
        """Return Adam with the configured schedule, which updates the rate at each step."""
        return scheduled(adam(self.network.parameters(), self.settings), rate_factor(self.settings))

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the batches up to the next validation; Lightning asks again at every epoch, and after a resume."""
        start = self.iteration
        stop = min(start + self.settings.validate_every, self.settings.steps)
        batches = self.batches(start, stop)
        if self.device.type == "cpu":
            return DataLoader(batches, batch_size=None)  # type: ignore[arg-type]
        return DataLoader(Prefetched(batches), batch_size=None, pin_memory=True)


def adam(parameters: Iterable[nn.Parameter], settings: Schedule, **other: Any) -> torch.optim.Adam:
    """Return Adam with the settings, except as overridden by `other`, for the parameters that require gradients."""
    learning = [p for p in parameters if p.requires_grad]
    known: dict[str, Any] = {"lr": settings.learning_rate, "betas": settings.betas, "eps": settings.eps}
    # Fused: one call per parameter instead of ten, which take a tenth of a small network's step on a CPU.
    return torch.optim.Adam(learning, **(known | other), fused=True)


def scheduled(optimizer: torch.optim.Optimizer, factor: Callable[[int], float]) -> dict[str, Any]:
    """An optimiser whose rate is multiplied by a factor of the step, such as `rate_factor`'s, as Lightning takes it."""
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def rate_factor(settings: Schedule) -> Callable[[int], float]:
    """Return the learning rate of each step as a fraction of the peak."""
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
