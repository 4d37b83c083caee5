"""Training of person-image transfer: absolute and perceptual error, and a discriminator of patches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from repose.data.images import ImageBatch, ImageData, ImagePairs
from repose.errors import ReposeError
from repose.images.metrics import ssim_u7
from repose.methods.flow.generator import Discriminator
from repose.methods.flow.losses import fake_loss, real_loss
from repose.methods.flow.perceptual import feature_network, perceptual_loss
from repose.methods.flow.settings import FlowTransferSettings, TransferTraining
from repose.methods.flow.transfer_network import FlowTransfer as Network
from repose.methods.image_recipe import ImageRecipe, check_sides
from repose.methods.recipe import adam, rate_factor

_LEAST_JUDGED = 24  # pixels; the discriminator has no patch on a smaller image


class FlowTransferRecipe(ImageRecipe):
    """Each step updates the discriminator, then the trainable part of the network."""

    metric = "val_dssim"
    examples = ImagePairs.images
    network: Network
    settings: TransferTraining

    def __init__(self, method: FlowTransferSettings, network: Network, data: ImageData, seed: int):
        super().__init__(method, network, data, seed)
        self.automatic_optimization = False
        s = self.settings
        self.faithful = method.faithful
        check_sides(data.store, method.levels)
        if s.adversarial_weight and min(data.store.size) < _LEAST_JUDGED:
            raise ReposeError(
                f"the discriminator needs {_LEAST_JUDGED} pixels a side", hint="set adversarial_weight: 0"
            )
        if missing := set(method.starts_from) - set(data.given):
            raise ReposeError(f"the training needs the weights of another one: its {min(missing)}")
        self.features = feature_network(s.perceptual.features, s.perceptual.weights, s.perceptual.sha256)
        for part, weights in data.given.items():
            fill(getattr(self if part == "features" else network, part), weights, part)
        self.discriminator = Discriminator(s.discriminator_width) if s.adversarial_weight else None

    def training_step(self, batch: ImageBatch, index: int) -> Tensor:
        """Update both and return the generator's loss."""
        s, generated = self.settings, self._draw(batch)
        discriminator = self.discriminator if self.iteration > s.adversarial_from else None
        pose = self.network.poses(batch.target_joints, batch.source.shape[2:])
        if discriminator is not None:
            real = real_loss(discriminator(batch.source, batch.target, pose), s.adversarial_loss)
            fake = fake_loss(discriminator(batch.source, generated.detach(), pose), s.adversarial_loss)
            self._update(1, s.adversarial_weight * (real + fake) / 2)
        loss = s.l1_weight * (generated - batch.target).abs().mean()
        if self.features is not None:
            loss = loss + s.perceptual_weight * perceptual_loss(self.features, generated, batch.target)
        if discriminator is not None:
            fooled = real_loss(discriminator(batch.source, generated, pose), s.adversarial_loss)
            loss = loss + s.adversarial_weight * fooled
        self._update(0, loss)
        return loss.detach()

    def validation_step(self, batch: ImageBatch, index: int) -> None:
        """Log one minus the mean SSIM (7×7)."""
        pair = ((x.double().movedim(1, -1) + 1) * 127.5 for x in (self._draw(batch), batch.target))
        similar = ssim_u7(*pair)
        self.log(self.metric, 1 - similar.mean(), batch_size=len(similar))

    def configure_optimizers(self) -> Any:
        """Return Adam for the trainable part of the network, and for the discriminator if there is one."""
        s = self.settings
        optimizers = [adam(self.network.parameters(), s)]
        if self.discriminator is not None:
            rate, decay = s.discriminator_learning_rate, s.discriminator_weight_decay
            optimizers.append(adam(self.discriminator.parameters(), s, lr=rate, weight_decay=decay))
        rates = [torch.optim.lr_scheduler.LambdaLR(o, rate_factor(s)) for o in optimizers]
        return optimizers, rates

    def varied(self, batch: ImageBatch, draw: np.random.Generator) -> ImageBatch:
        """Move and resize the targets at random if the settings say so.

        Shifts are drawn as released, from minus the largest to one below the largest, and scales are uniform in their
        logarithm.
        """
        s = self.settings
        if not any(s.shift) and s.scale == 1:
            return batch
        count, most = len(batch.target), np.array(s.shift)
        shifts = np.floor(draw.uniform(-most, most, (count, 2)))
        scales = s.scale ** draw.uniform(-1, 1, count)
        moved = torch.from_numpy(shifts).float(), torch.from_numpy(scales).float()
        return placed(batch, *moved, self.faithful)

    def _draw(self, batch: ImageBatch) -> Tensor:
        return self.network(batch.source, batch.source_joints, batch.target_joints).image

    def _update(self, which: int, loss: Tensor) -> None:
        optimizers, rates = self.optimizers(), self.lr_schedulers()
        optimizer = optimizers[which] if isinstance(optimizers, list) else optimizers
        rate = rates[which] if isinstance(rates, list) else rates
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()
        rate.step()  # type: ignore[union-attr]


def placed(
    batch: ImageBatch,
    shifts: Tensor,  # (B, 2) pixels right and down
    scales: Tensor,  # (B,)
    exchanged: bool = False,
) -> ImageBatch:
    """Enlarge each target about its middle, then move it; edges are repeated, joints that leave are not seen.

    Args:
        exchanged: whether to enlarge about the middle of an image with width and height exchanged, as released.
    """
    height, width = batch.target.shape[2:]
    last = torch.tensor([width - 1.0, height - 1.0])
    middle = last / 2
    about = middle.flip(0) if exchanged else middle
    joints = batch.target_joints.clone()
    joints[..., :2] = (joints[..., :2] - about) * scales[:, None, None] + about + shifts[:, None]
    joints[..., 2] *= ((joints[..., :2] >= 0) & (joints[..., :2] <= last)).all(dim=-1)
    # The source coordinate of each pixel, (x - about - shift) / scale + about, scaled so that the first and the last
    # pixel are at -1 and 1.
    off = about / middle - 1
    matrix = torch.zeros(len(scales), 2, 3)
    matrix[:, 0, 0] = matrix[:, 1, 1] = 1 / scales
    matrix[:, :, 2] = off - (off + shifts / middle) / scales[:, None]
    grid = F.affine_grid(matrix, list(batch.target.shape), align_corners=True)
    target = F.grid_sample(batch.target, grid, padding_mode="border", align_corners=True)
    return batch._replace(target=target, target_joints=joints)


def fill(part: nn.Module, weights: Path, name: str) -> None:
    """Load the weights of one part of a network from a trained network; every key and shape must fit.

    Raises:
        ReposeError: the part of the trained network has other keys or shapes.
    """
    prefix = f"{name}."
    tensors = {k.removeprefix(prefix): v for k, v in load_file(weights).items() if k.startswith(prefix)}
    try:
        part.load_state_dict(tensors)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ReposeError(
            f"its {name} is another network: {reason}", weights, "give both methods the same settings of it"
        ) from None
