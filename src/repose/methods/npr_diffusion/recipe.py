"""Training of two diffusion models on a trained NPR network's codes of one body's training poses."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.data import DataLoader

from repose.convert.catalog import mesh_id
from repose.data.batches import Batches, chosen_in_epochs
from repose.data.meshes import centred
from repose.data.unlabelled import Numbers
from repose.errors import ReposeError
from repose.methods.load import load_weights
from repose.methods.npr.neighbour_store import known_neighbours
from repose.methods.npr_diffusion.network import NprDiffusion as Network
from repose.methods.npr_diffusion.network import PoseCodes
from repose.methods.npr_diffusion.noise import STEPS
from repose.methods.npr_diffusion.settings import NprDiffusionSettings, NprDiffusionTraining
from repose.methods.recipe import TrainingRecipe, adam, rate_factor, scheduled
from repose.methods.settings import LearnedMethod
from repose.store.mesh_store import MeshStore

_TIMES = 20  # number of diffusion steps that validation uses


class Noisy(NamedTuple):
    """Codes, and the noise to be predicted in them."""

    codes: PoseCodes  # standardised
    steps: Tensor  # (B,) int64
    noise: PoseCodes
    jitter: Tensor  # (B, K, 3) standard normal, added to the keypoints that condition the features


@dataclass(frozen=True)
class PoseData:
    """The body at rest, and the rows of its training and validation poses."""

    store: MeshStore
    rest: int
    train: np.ndarray
    val: np.ndarray
    given: Mapping[str, Path] = field(default_factory=dict, kw_only=True)


class NprDiffusionRecipe(TrainingRecipe):
    """Train the models of keypoints and of features; `network` holds the averaged weights."""

    metric = "val_error"
    open = MeshStore
    network: Network
    train_codes: PoseCodes
    val_codes: PoseCodes
    settings: NprDiffusionTraining

    def __init__(self, method: NprDiffusionSettings, network: Network, data: PoseData, seed: int):
        super().__init__(method, network, data, seed)
        if "poses_of" not in data.given:
            raise ReposeError("the training needs the weights of another one: its poses_of")
        load_weights(network.npr, data.given["poses_of"], "npr")
        given = load_file(data.given["poses_of"])
        self.refinable = {f"npr.{name}": given[name] for name in ("code_points", "code_features")}
        network.npr.known = known_neighbours(network.npr, data.given)
        self.live = nn.ModuleList(copy.deepcopy(part) for part in (network.keypoints, network.features))
        network.requires_grad_(False)

    def setup(self, stage: str) -> None:
        """Encode all poses once, on the training device; the codes go to the host, where batches are made."""
        if hasattr(self, "train_codes"):
            return
        device, store, network = self.trainer.strategy.root_device, self.data.store, self.network
        network.to(device)
        rest = centred(store.vertices(np.array([self.data.rest])))[0].to(device)
        faces = torch.from_numpy(store.faces).long().to(device)
        (template,) = network.npr.templates.of(rest[None], faces)
        train, val = (
            network.codes(centred(store.vertices(rows)).to(device), template)
            for rows in (self.data.train, self.data.val)
        )
        network.learn_statistics(rest, faces, train)
        self.train_codes, self.val_codes = (
            PoseCodes(*(x.cpu() for x in network.standardised(codes))) for codes in (train, val)
        )

    @classmethod
    def read(cls, method: LearnedMethod, store: MeshStore, splits: pd.DataFrame) -> PoseData:
        """Read one body in every training and validation pose; no other body and no test pose is read.

        Raises:
            ReposeError: the source body is not in the training part, or has no validation pose.
        """
        assert isinstance(method, NprDiffusionSettings)
        train, val = (Numbers.seen_in(splits[splits.role == role]) for role in ("train", "val"))
        source = train.source(method.source)
        rest = store.index_of(mesh_id(source, method.npr.rest_pose))
        data = PoseData(store, rest, train.rows(store, source), val.rows(store, source))
        if not len(data.val):
            raise ReposeError(f"identity {source} is in no validation pose", store.path)
        return data

    def compiled(self) -> list[nn.Module]:
        """Return both diffusion models."""
        return list(self.live)

    def weights(self) -> dict[str, Tensor]:
        """Return the averaged weights and the codes from which generated poses can be refined for a body."""
        return super().weights() | self.refinable

    def batches(self, start: int, stop: int) -> Batches[Noisy]:
        """Yield codes of training poses at random steps of the diffusion."""
        size = self.settings.batch

        def batch(step: int) -> Noisy:
            chosen = torch.from_numpy(chosen_in_epochs(len(self.train_codes.points), size, self.seed, step))
            (state,) = np.random.SeedSequence([self.seed, 1, step]).generate_state(1)
            draw = torch.Generator().manual_seed(int(state))
            codes = PoseCodes(*(x[chosen] for x in self.train_codes))
            return _noisy(codes, torch.randint(STEPS, (size,), generator=draw), draw)

        return Batches(range(start, stop), batch)

    def val_dataloader(self) -> DataLoader[Any]:
        """Return all validation codes at steps spread over the diffusion, always with the same noise."""
        times = torch.linspace(0, STEPS - 1, _TIMES).round().long().tolist()

        def batch(number: int) -> Noisy:
            steps = torch.full((len(self.val_codes.points),), times[number])
            return _noisy(self.val_codes, steps, torch.Generator().manual_seed(number))

        return DataLoader(Batches(range(_TIMES), batch), batch_size=None)

    def training_step(self, batch: Noisy, index: int) -> Tensor:
        """Return the sum of both errors of one batch."""
        keypoints, features = self.live
        return self._error(keypoints, features, batch, self.settings.jitter)

    @torch.no_grad()
    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Update the averaged weights; early in training they average over few steps."""
        done = self.iteration
        share = 1 - min(self.settings.ema, (1 + done) / (10 + done))
        for live, kept in zip(self.live, (self.network.keypoints, self.network.features), strict=True):
            for new, old in zip(live.parameters(), kept.parameters(), strict=True):
                old.lerp_(new, share)

    def validation_step(self, batch: Noisy, index: int) -> None:
        """Log the sum of both errors, of the averaged weights and without jitter."""
        error = self._error(self.network.keypoints, self.network.features, batch, 0.0)
        self.log(self.metric, error, batch_size=len(batch.steps))

    def configure_optimizers(self) -> Any:
        """Return Adam with the schedule."""
        return scheduled(adam(self.live.parameters(), self.settings), rate_factor(self.settings))

    def _error(self, keypoints: nn.Module, features: nn.Module, batch: Noisy, jitter: float) -> Tensor:
        net = self.network
        known = batch.codes.points + jitter / net.point_scale * batch.jitter
        first = net.error(keypoints, batch.codes.points, batch.steps, batch.noise.points, net.given())
        second = net.error(
            features, batch.codes.features, batch.steps, batch.noise.features, net.given(known)
        )
        return first + second


def _noisy(codes: PoseCodes, steps: Tensor, draw: torch.Generator) -> Noisy:
    noise = PoseCodes(*(torch.randn(x.shape, generator=draw) for x in codes))
    return Noisy(codes, steps, noise, torch.randn(codes.points.shape, generator=draw))
