"""Train one method on one dataset with one seed.

A training may be killed at any moment; running it again resumes, and gives the same weights.
"""

import logging
import math
import sys
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.environments import LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy
from safetensors.torch import load_file, save
from torch import Tensor

from repose.cards import take
from repose.config.models import Compute
from repose.device import device_of
from repose.errors import ReposeError
from repose.methods.build import build, count_parameters, recipe_for
from repose.methods.recipe import TrainingRecipe
from repose.methods.settings import LearnedMethod
from repose.progress import Meter
from repose.provenance.manifest import peak_memory_mib
from repose.provenance.publish import publish
from repose.store.image_store import ImageStore
from repose.store.mesh_store import MeshStore
from repose.train.checkpoints import PublishedCheckpoints
from repose.train.devices import peers

UNREAD = 32  # number of steps on a GPU whose losses are read together


@dataclass(frozen=True)
class Trained:
    """The result of a training."""

    weights: dict[str, Tensor]  # those of the step with the best validation metric
    # One row per validation: step, train_loss and train_{term} (means since the last row), the metric, learning_rate.
    # Step 0 is untrained.
    history: pd.DataFrame
    best_step: int
    best_value: float  # best value of `metric`
    metric: str
    parameters: int
    seconds: float  # seconds of training and validation, including killed attempts
    peak_memory_mib: float  # that of the process on a CPU, that of the allocator on a GPU
    device: str


@dataclass(frozen=True)
class Job:
    """One training and its inputs."""

    method: LearnedMethod
    compute: Compute  # devices, precision and threads
    store: MeshStore | ImageStore
    splits: pd.DataFrame  # triples, or pairs of images, with roles `train` and `val`
    seed: int  # fixes initial weights, order of triples and vertex shuffles
    # Folder of checkpoints. The caller names it by everything that decides the result, and removes it.
    state: Path
    label: str  # shown with the progress
    # Further inputs by name: distances, neighbours, weights of other trainings.
    given: Mapping[str, Path] = field(default_factory=dict)


def train(job: Job) -> Trained:
    """Train from scratch, or from the last checkpoint in the job's folder.

    Raises:
        ReposeError: training diverged.
    """
    job.state.mkdir(parents=True, exist_ok=True)
    if job.compute.device != "cpu":
        take(job.compute.devices_of(job.method))
    last = job.state / "last.ckpt"
    arguments = job, last if last.exists() else None
    with peers(job.compute.devices_of(job.method), _fit, *arguments):
        task, keeper = _fit(*arguments)
    best = keeper.best()
    return Trained(
        weights=load_file(keeper.weights),
        history=pd.DataFrame(keeper.rows),
        best_step=int(best["step"]),
        best_value=float(best[task.metric]),
        metric=task.metric,
        parameters=count_parameters(task.network),
        seconds=keeper.seconds,
        peak_memory_mib=_peak(keeper.device),
        device=torch.cuda.get_device_name(keeper.device) if keeper.device.type == "cuda" else "cpu",
    )


def _fit(job: Job, last: Path | None) -> tuple[TrainingRecipe, "Keeper"]:
    """Train on one device, or on this process's device of several."""
    method, compute = job.method, job.compute
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    torch.set_num_threads(compute.threads)
    seed_everything(job.seed, verbose=False)
    task = recipe_for(method, build(method), job.store, job.splits, job.seed, job.given)
    if compute.compile:
        for network in task.compiled():
            # fullgraph makes a graph break an error, because a network in several graphs is slower than an uncompiled
            # one
            network.compile(fullgraph=True)
    keeper = Keeper(job.state, task, job.label)
    trainer = _trainer(job, keeper)
    keeper.device = trainer.strategy.root_device
    with warnings.catch_warnings():
        # Lightning recommends data-loader workers, but a batch here is only a few memory copies.
        warnings.filterwarnings("ignore", category=UserWarning, module="lightning")
        warnings.filterwarnings("ignore", message=".*(isinstance|LeafSpec|treespec).*")
        if not last:
            trainer.validate(task, verbose=False)
        trainer.fit(task, ckpt_path=last, weights_only=True)
    return task, keeper


class Keeper(Callback):
    """Keeps the progress, the learning curve and the best weights; its state is part of the checkpoint."""

    def __init__(self, state: Path, task: TrainingRecipe, label: str):
        self.weights = state / "best.safetensors"
        self.task, self.label = task, label
        self.rows: list[dict[str, float]] = []
        self.seconds = 0.0
        self.device = torch.device("cpu")  # the trainer moves the network back to this device at the end
        self._unread: list[tuple[int, dict[str, Tensor]]] = []
        self._losses: list[dict[str, float]] = []
        self._meter: Meter | None = None

    def best(self) -> dict[str, float]:
        """Return the row of a trained step with the smallest value of the metric."""
        return min((row for row in self.rows if row["step"] > 0), key=lambda row: row[self.task.metric])

    def on_fit_start(self, trainer: Trainer, module: LightningModule) -> None:
        """Open the progress display."""
        self._clock = time.perf_counter()
        if not trainer.is_global_zero:
            return
        if self.rows and self.rows[-1]["step"]:
            print(f"{self.label}: goes on from step {self.rows[-1]['step']}", file=sys.stderr, flush=True)
        self._meter = Meter(self.label, self.task.settings.steps)
        self._meter.__enter__()

    def teardown(self, trainer: Trainer, module: LightningModule, stage: str) -> None:
        """Close the progress display, even if the training fails."""
        if stage == "fit" and self._meter:
            self._meter.__exit__(None, None, None)
            self._meter = None

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Record the loss, and its terms if the recipe returns them; a loss that is not finite ends the training."""
        self._unread.append((self.task.iteration, {name: value.detach() for name, value in outputs.items()}))
        # Reading a value waits for the device, which is idle meanwhile; on a CPU it costs nothing.
        if self.task.device.type == "cpu" or len(self._unread) == UNREAD:
            self._read(trainer)

    def _read(self, trainer: Trainer) -> None:
        """Read the losses of the steps since the last reading."""
        for step, values in self._unread:
            terms = {
                name: float(trainer.strategy.reduce(value, reduce_op="mean"))
                for name, value in values.items()
            }
            if not math.isfinite(terms["loss"]):
                what = f"the loss is {terms['loss']} at step {step}"
                raise ReposeError(what, where=self.label, hint="lower training.learning_rate")
            self._losses.append(terms)
        self._unread = []
        if self._meter and self._losses:
            metric = self.task.metric
            val = f", {metric} {self.rows[-1][metric]:.4g}" if self.rows else ""
            self._meter.to(self.task.iteration, f"loss {self._losses[-1]['loss']:.4g}{val}")

    def on_validation_end(self, trainer: Trainer, module: LightningModule) -> None:
        """Add a row to the curve, and keep the weights if they are the best so far."""
        self._read(trainer)
        value = float(trainer.callback_metrics[self.task.metric])
        # A term that no step had is missing in the row; a term that some steps had is averaged over those.
        means = pd.DataFrame(self._losses or [{"loss": float("nan")}]).mean()
        rate = trainer.optimizers[0].param_groups[0]["lr"] if trainer.optimizers else 0.0
        self.rows.append(
            {
                "step": self.task.iteration,
                **{f"train_{name}": float(mean) for name, mean in means.items()},
                self.task.metric: value,
                "learning_rate": float(rate),
            }
        )
        self._losses = []
        if self.task.iteration and not math.isfinite(value):
            what = f"{self.task.metric} is {value} at step {self.task.iteration}"
            raise ReposeError(what, where=self.label, hint="lower training.learning_rate")
        if trainer.is_global_zero and self.task.iteration and self.best() is self.rows[-1]:
            with publish(self.weights) as private:
                # Copies, because a file cannot hold shared tensors, and layers may share them.
                found = self.task.weights().items()
                weights = {k: v.clone(memory_format=torch.contiguous_format) for k, v in found}
                # Not `save_file`, whose errors do not tell that the disk is full.
                private.write_bytes(save(weights))

    def state_dict(self) -> dict[str, Any]:
        """Return the state that a resumed training needs of this callback."""
        now = time.perf_counter()
        self.seconds, self._clock = self.seconds + now - self._clock, now
        return {"rows": self.rows, "seconds": self.seconds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state from a checkpoint."""
        self.rows, self.seconds = list(state["rows"]), float(state["seconds"])

    def on_fit_end(self, trainer: Trainer, module: LightningModule) -> None:
        """Add the time since the last checkpoint."""
        self.state_dict()


def _trainer(job: Job, keeper: Keeper) -> Trainer:
    compute, settings, devices = job.compute, job.method.training, job.compute.devices_of(job.method)
    # One file, replaced at every validation: a training resumes at the last validation.
    last = ModelCheckpoint(
        dirpath=job.state,
        filename="last",
        every_n_epochs=1,
        enable_version_counter=False,
        save_on_train_epoch_end=False,
    )
    return Trainer(
        accelerator={"cpu": "cpu", "cuda": "gpu"}[device_of(compute).type],
        devices=devices,
        strategy=DDPStrategy(cluster_environment=LightningEnvironment()) if devices > 1 else "auto",
        use_distributed_sampler=False,
        precision={"fp32": "32-true", "tf32": "32-true", "bf16": "bf16-mixed"}[compute.precision],  # type: ignore[arg-type]
        max_epochs=-(-settings.steps // settings.validate_every),
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        callbacks=[keeper, last],
        plugins=[PublishedCheckpoints()],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        deterministic=True,
    )


def _peak(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return peak_memory_mib()
