"""The released recipe of IEP-GAN with its defects, as far as it runs.

Kept: supervision in the first stages; one discriminator of meshes, sensitive to vertex order; the local loss of
vertex 0 and its ring; "adaptive" patches around vertices 0, 1, 2, …; distances of the last patch of the last mesh
compared with zero, in the released units. Left out: the co-occurrence discriminator, which is never trained there and
passes no gradient; repeated patch faces; scrambled coordinates of patches; the truth centred by the pose mesh's box.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from repose.data.meshes import TrainingData
from repose.gih.convention import Settings
from repose.mesh.patches import patch_table
from repose.methods.iepgan.losses import central_distances, distances_of, fool_loss, real_fake_loss
from repose.methods.iepgan.recipe import AdversarialRecipe, Pairs
from repose.methods.iepgan.settings import IepGanSettings
from repose.methods.losses import edge_loss, weighted_edges

_RELEASED_BATCH = 32  # batch size that the decay of the averaged weights is given for
_DISTANCES = Settings("released")


class ReleasedIepGanRecipe(AdversarialRecipe):
    """The released training; `swap_from` is the released rec_epoch, `intrinsic_from` its geo_epoch.

    The step of geo_epoch itself has neither truths nor distances.
    """

    edges: Tensor
    shares: Tensor
    ring: Tensor

    def __init__(self, method: IepGanSettings, network: nn.Module, data: TrainingData, seed: int):
        super().__init__(method, network, data, seed)
        self.images = _RELEASED_BATCH
        faces, count, last = data.store.faces, data.store.shape[1], self.settings.patches - 1
        table = patch_table(faces, count, self.settings.patch_vertices)
        self.patches = tuple(torch.from_numpy(x) for x in table.padded([last]))
        edges, shares = weighted_edges(faces)
        for name, values in (("edges", edges), ("shares", shares), ("ring", edges[(edges == 0).any(dim=1)])):
            self.register_buffer(name, values, persistent=False)

    def training_step(self, pairs: Pairs, index: int) -> Tensor:
        """Update the discriminator, then encoder and generator, and return the loss."""
        s, step = self.settings, pairs.step
        pose, identity = pairs.pose, pairs.identity
        code = self.live.encoder.pose_field(pose)
        same = self.live.generator(code, self.live.encoder.shape_field(pose))
        transfer = self.live.generator(code, self.live.encoder.shape_field(identity))
        real, fake = torch.cat([pose, identity]), torch.cat([same, transfer])
        between = real_fake_loss(self.discriminator(real), self.discriminator(fake.detach()))
        self.update(1, between)
        if s.r1_weight and step % s.r1_every == 0:
            self.update(1, self.penalty(step, real), scheduled=False)

        supervised = step < s.intrinsic_from
        error = (transfer - pairs.truth) if supervised else (same - pose)
        loss = s.reconstruction_weight * error.abs().mean()
        loss = loss + s.adversarial_weight * fool_loss(self.discriminator(fake))
        if step > s.swap_from:
            loss = loss + s.edge_weight * edge_loss(same, pose, self.edges, self.shares)
            one = central_distances(same, pose, self.ring)[:, 0].mean()
            loss = loss + s.local_weight / pose.shape[1] * one
        if step > s.intrinsic_from:
            patches = tuple(x.to(self.device) for x in self.patches)
            found = distances_of(transfer[-1:], patches, _DISTANCES)
            share = s.gih_weight / _DISTANCES.factor**2 / (s.batch * s.patches)
            loss = loss + share * found.square().mean()
        self.update(0, loss)
        self.average()
        return loss.detach()
