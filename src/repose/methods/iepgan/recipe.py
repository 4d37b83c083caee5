"""Unsupervised transfer with two discriminators and distances along the surface (IEP-GAN).

It learns from pairs of registered meshes and reads no ground truth.
"""

from __future__ import annotations

import copy
import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from repose.data.batches import Batches, chosen_in_epochs
from repose.data.meshes import TrainingData, centred, training_batches
from repose.errors import ReposeError
from repose.gih.reader import GihReader
from repose.mesh.smoothing import averaging, smooth
from repose.methods.iepgan.discriminators import CooccurrenceDiscriminator, Discriminator
from repose.methods.iepgan.encoder import spacings_of
from repose.methods.iepgan.losses import (
    central_distances,
    distances_of,
    edge_length_errors,
    fool_loss,
    gradient_penalty,
    patch_distortion,
    real_fake_loss,
)
from repose.methods.iepgan.patches import View, Views
from repose.methods.iepgan.settings import AdversarialTraining, IepGanSettings
from repose.methods.losses import edge_loss, reconstruction
from repose.methods.recipe import adam, rate_factor
from repose.methods.transfer_recipe import TransferRecipe

_SAMPLE = 256  # meshes that the size estimate is whitened by
_MEMORY = 0.9  # share of the old value in the running error of a vertex


class Pairs(NamedTuple):
    """Meshes of one step, centred, in template order; only the released recipe is given a truth."""

    identity: Tensor  # (B, V, 3) metres
    pose: Tensor  # (B, V, 3) metres
    truth: Tensor  # (B, V, 3) metres
    identity_spacings: Tensor  # (B, 22) as `log_spacings`
    pose_spacings: Tensor  # (B, 22)
    names: tuple[str, ...]  # of the identity meshes
    step: int


class AdversarialRecipe(TransferRecipe):
    """The common part of our recipe and the released one: averaged weights, two optimisers, pairs of meshes.

    `network` holds the averaged weights, which are validated and kept; `live` holds the weights that are trained.
    """

    settings: AdversarialTraining
    live: Any  # IEPGAN, or ReleasedIEPGAN

    def __init__(self, method: IepGanSettings, network: nn.Module, data: TrainingData, seed: int):
        super().__init__(method, network, data, seed)
        self.settings = method.training
        self.live = copy.deepcopy(network)
        self.network.requires_grad_(False)
        self.automatic_optimization = False
        self.discriminator = Discriminator(self.settings.discriminator_width, binned=method.faithful)
        self.images = self.settings.batch
        self.spacings: dict[int, Tensor] = {}  # of the meshes met so far, by row of the store

    def discriminators(self) -> list[nn.Module]:
        """Return the modules that the second optimiser trains."""
        return [self.discriminator]

    def batches(self, start: int, stop: int) -> Batches[Pairs]:
        """Yield pairs in place of triples."""
        return Batches(range(start, stop), self._pairs)

    def _pairs(self, step: int) -> Pairs:
        triples, size = self.data.train, self.settings.batch
        (batch,) = training_batches(triples, size, self.seed, step, step + 1)
        rows = triples.rows[chosen_in_epochs(len(triples), size, self.seed, step)]
        identity, pose = self._spacings(rows[:, 0], batch.identity), self._spacings(rows[:, 1], batch.pose)
        names = tuple(triples.store.mesh_ids[row] for row in rows[:, 0])
        return Pairs(batch.identity, batch.pose, batch.truth, identity, pose, names, step)

    def _spacings(self, rows: np.ndarray, meshes: Tensor) -> Tensor:
        for row, mesh in zip(rows.tolist(), meshes, strict=True):
            if row not in self.spacings:
                self.spacings[row] = spacings_of(mesh[None])[0]
        return torch.stack([self.spacings[row] for row in rows.tolist()])

    def configure_optimizers(self) -> Any:
        """Return Adam for encoder and generator, and Adam for the discriminators, adjusted to their lazy penalty."""
        s = self.settings
        lazy = s.r1_every / (s.r1_every + 1)
        first = adam(self.live.parameters(), s)
        of_discriminators = [p for part in self.discriminators() for p in part.parameters()]
        betas = (s.betas[0] ** lazy, s.betas[1] ** lazy)
        second = adam(of_discriminators, s, lr=s.learning_rate * lazy, betas=betas)
        rates = [torch.optim.lr_scheduler.LambdaLR(o, rate_factor(s)) for o in (first, second)]
        return [first, second], rates

    def update(self, which: int, loss: Tensor, scheduled: bool = True) -> None:
        """Step optimiser 0 (encoder and generator) or 1 (discriminators), and its learning-rate schedule."""
        optimizer, rate = self.optimizers()[which], self.lr_schedulers()[which]  # type: ignore[index]
        optimizer.zero_grad()
        # Steps run under autocast, which would round the gradients of losses that are computed in float32.
        with torch.autocast(loss.device.type, enabled=False):
            self.manual_backward(loss)
        optimizer.step()
        if scheduled:
            rate.step()

    @torch.no_grad()
    def average(self) -> None:
        """Move the averaged weights towards the live ones."""
        for mean, live in zip(self.network.parameters(), self.live.parameters(), strict=True):
            mean.lerp_(live, 1 - 0.5 ** (self.images / self.settings.ema_images))

    def penalty(self, step: int, real: Tensor) -> Tensor:
        """Return the lazy R1 penalty of the discriminator of meshes."""
        s = self.settings
        if not s.r1_weight or step % s.r1_every:
            return real.new_zeros(())
        real = real.detach().requires_grad_()
        return s.r1_every * s.r1_weight / 2 * gradient_penalty(self.discriminator(real, twice=True), (real,))


class IepGanRecipe(AdversarialRecipe):
    """Train by self-reconstruction, two discriminators, edge lengths and distances along the identity's patches."""

    def __init__(self, method: IepGanSettings, network: nn.Module, data: TrainingData, seed: int):
        super().__init__(method, network, data, seed)
        if method.reads_gih and "gih" not in data.given:
            raise ReposeError(
                "target: full-block needs the distances of the dataset", hint="pass them as `gih`"
            )
        self.gih = GihReader(data.given["gih"]) if method.reads_gih else None
        self.cooccurrence = CooccurrenceDiscriminator(self.settings.cooccurrence_width)
        self.views = Views(data.store.faces, data.store.shape[1], self.settings)
        spacings = self.sample()
        for part in (self.live, self.network):
            part.encoder.whiten(spacings)  # type: ignore[operator, union-attr]
        self.errors: Tensor  # (V,) metres; high at first, so that every region gets its turn
        self.register_buffer("errors", torch.ones(data.store.shape[1]))

    def sample(self) -> Tensor:
        """Return the spacings of some training meshes, (M, 22)."""
        rows = np.unique(self.data.train.rows[:, 1])
        some = np.random.default_rng([self.seed, 3]).permutation(rows)[:_SAMPLE]
        return torch.cat(
            [spacings_of(centred(self.data.store.vertices(some[[i]]))) for i in range(len(some))]
        )

    def discriminators(self) -> list[nn.Module]:
        """Return both discriminators."""
        return [self.discriminator, self.cooccurrence]

    def training_step(self, pairs: Pairs, index: int) -> dict[str, Tensor]:
        """Update the discriminators, then encoder and generator, and return the loss and its terms."""
        s, step = self.settings, pairs.step
        rng = np.random.default_rng([self.seed, 2, step])
        view = self.views.draw(self.errors.cpu().numpy(), rng).to(self.device)
        pose, identity = pairs.pose[:, view.seen], pairs.identity[:, view.seen]
        code, own = self.live.encoder.both(pose, pairs.pose_spacings)
        # The size of a body reconstructed from itself cancels out; what is left is rounding noise, which Adam would
        # follow.
        unit = code.unit.detach()
        fixed = own._replace(log_size=own.log_size.detach(), unit=unit)
        same = self.live.generator(code._replace(unit=unit), fixed)
        transfer, crops, real, fake = None, None, pose, same
        if step >= s.swap_from:
            other = self.live.encoder.shape(identity, pairs.identity_spacings)
            transfer = self.live.generator(code, other)
            real, fake = torch.cat([pose, identity]), torch.cat([same, transfer])
            if s.cooccurrence_weight:
                crops = self.crops(pose, transfer, view, rng)
        told = self.train_discriminators(step, real, fake, crops)

        for part in self.discriminators():  # discriminators pass gradients on, but need none themselves
            part.requires_grad_(False)
        terms = {"reconstruction": (same - pose).abs().mean()}
        if s.adversarial_weight:
            terms["adversarial"] = fool_loss(self.discriminator(fake))
        if crops is not None:
            terms["cooccurrence"] = fool_loss(self.cooccurrence(crops.fake, crops.references))
        if transfer is not None:
            self.remember(transfer.detach(), identity, view)
            terms["edge"] = edge_loss(transfer, identity, view.edges, view.edge_weights)
            terms["local"] = central_distances(same, pose, view.edges).mean()
            if s.gih_weight and step >= s.intrinsic_from:
                terms["gih"] = self.intrinsic(transfer, identity, view, pairs.names)
        if self.live.matcher is not None and s.warp_weight:
            terms["warp"] = self.correspondence(pairs, rng)
        weighted = (getattr(s, f"{name}_weight") * value for name, value in terms.items())
        loss = sum(weighted, start=real.new_zeros(()))
        self.update(0, loss)
        self.average()
        return {name: value.detach() for name, value in ({"loss": loss} | terms | told).items()}

    def train_discriminators(
        self, step: int, real: Tensor, fake: Tensor, crops: Crops | None
    ) -> dict[str, Tensor]:
        """Update the discriminators on detached meshes, and return the losses of both without penalties."""
        s, told = self.settings, {}
        for part in self.discriminators():
            part.requires_grad_(True)
        loss = real.new_zeros(())
        if s.adversarial_weight:
            told["discriminator"] = real_fake_loss(
                self.discriminator(real), self.discriminator(fake.detach())
            )
            loss = loss + told["discriminator"] + self.penalty(step, real)
        if crops is not None:
            references = crops.references.detach()
            fakes = self.cooccurrence(crops.fake.detach(), references)
            told["cooccurrence_discriminator"] = real_fake_loss(
                self.cooccurrence(crops.real, references), fakes
            )
            loss = loss + told["cooccurrence_discriminator"]
            if s.cooccurrence_r1_weight and step % s.r1_every == 0:
                inputs = crops.real.clone().requires_grad_(), references.clone().requires_grad_()
                penalty = gradient_penalty(self.cooccurrence(*inputs, twice=True), inputs)
                loss = loss + s.r1_every * s.cooccurrence_r1_weight / 2 * penalty
        if loss.requires_grad:
            self.update(1, loss)
        return told

    def intrinsic(self, transfer: Tensor, identity: Tensor, view: View, names: tuple[str, ...]) -> Tensor:
        """Return the mean squared change of the distances along the patches, m²."""
        if self.gih is None:
            with torch.no_grad():
                target = distances_of(identity, view.patches)
        else:
            blocks = [self.gih.blocks(names, [patch] * len(names)) for patch in view.whole]
            target = torch.from_numpy(np.stack(blocks, axis=1)).to(transfer.device)
        return patch_distortion(transfer, target, view.patches)

    def correspondence(self, pairs: Pairs, rng: np.random.Generator) -> Tensor:
        """Return the error of the pose mesh carried to random identity vertices; registration gives the truth."""
        count = pairs.pose.shape[1]
        points = self.settings.points or count
        wanted, there = (torch.from_numpy(rng.permutation(count)[:points]).to(self.device) for _ in range(2))
        return reconstruction(
            self.live.matcher(pairs.identity[:, wanted], pairs.pose[:, there]), pairs.pose[:, wanted]
        )

    def crops(self, pose: Tensor, transfer: Tensor, view: View, rng: np.random.Generator) -> Crops:
        """Return every patch of both meshes, smoothed by a random number of rounds, at the same random vertices."""
        s = self.settings
        vertices, _, faces, _ = view.patches
        mean = averaging(faces, vertices.shape[1])
        points = np.stack([_some(n, s.patch_points, rng) for n in view.sizes.tolist()])
        chosen = torch.from_numpy(points).to(self.device)[None, :, :, None].expand(len(pose), -1, -1, 3)
        rounds = rng.integers(1, s.smoothing + 1, size=1 + s.references).tolist()

        def crop(mesh: Tensor, steps: int) -> Tensor:
            patches = mesh[:, vertices.flatten()].unflatten(1, vertices.shape)
            return smooth(patches, mean, steps).gather(2, chosen).flatten(0, 1)

        references = torch.stack([crop(pose, k) for k in rounds[1:]], dim=1)
        return Crops(crop(pose, rounds[0]), crop(transfer, rounds[0]), references)

    @torch.no_grad()
    def remember(self, transfer: Tensor, identity: Tensor, view: View) -> None:
        """Update the running errors of the vertices whose edges this step saw."""
        found = edge_length_errors(transfer, identity, view.edges)
        met = torch.zeros_like(found, dtype=torch.bool).index_fill(0, view.edges.flatten(), True)
        old = self.errors[view.seen]
        self.errors[view.seen] = torch.where(met, torch.lerp(found, old, _MEMORY), old)


class Crops(NamedTuple):
    """Points of smoothed patches, a row per mesh and patch."""

    real: Tensor  # (B K, S, 3) of the pose meshes
    fake: Tensor  # (B K, S, 3) of the transfers
    references: Tensor  # (B K, R, S, 3) of the pose meshes, with other numbers of smoothing rounds


def _some(available: int, wanted: int, rng: np.random.Generator) -> np.ndarray:
    """Return `wanted` of the first `available` numbers; if there are fewer, some are repeated."""
    rounds = math.ceil(wanted / available)
    return np.concatenate([rng.permutation(available) for _ in range(rounds)])[:wanted]
