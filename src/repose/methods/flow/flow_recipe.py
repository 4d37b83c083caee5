"""Flow and visibility from two poses, supervised by the exact flow between two images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.data.images import FlowBatch, ImageData, ImagePairs
from repose.images.classes import BACKGROUND
from repose.methods.flow.flow_network import FlowRegression
from repose.methods.flow.losses import (
    end_point_error,
    flow_loss,
    part_loss,
    pyramid_weights,
    smoothed_visibility,
    visibility_loss,
)
from repose.methods.flow.regression import FlowPyramid
from repose.methods.flow.settings import FlowRegressionSettings, FlowTraining
from repose.methods.image_recipe import ImageRecipe, check_sides
from repose.methods.recipe import adam, rate_factor, scheduled


class FlowRegressionRecipe(ImageRecipe):
    """Train on the flow error of all levels, the visibility's cross entropy, and pixels led to a wrong part."""

    metric = "val_epe_px"
    examples = ImagePairs.flows
    network: FlowRegression
    settings: FlowTraining

    def __init__(self, method: FlowRegressionSettings, network: nn.Module, data: ImageData, seed: int):
        super().__init__(method, network, data, seed)
        check_sides(data.store, method.flow_network.levels + 1)
        self.faithful = method.faithful
        self.level_weights = pyramid_weights(self.settings.pyramid_weights, method.flow_network.levels)

    def training_step(self, batch: FlowBatch, index: int) -> Tensor:
        """Return the weighted sum of the three losses."""
        s = self.settings
        seen = smoothed_visibility(batch.visibility) if self.faithful else batch.visibility
        found = self._found(batch)
        error = flow_loss(found.pyramid, batch.flow, seen, self.level_weights, s.flow_error, self.faithful)
        loss = s.flow_weight * error + s.visibility_weight * visibility_loss(found.visibility, seen)
        if s.segmentation_weight:
            parts = batch.source_parts, batch.target_parts
            loss = loss + s.segmentation_weight * part_loss(found.flow, batch.flow, seen, *parts)
        return loss

    def validation_step(self, batch: FlowBatch, index: int) -> None:
        """Log the mean end-point error on the body, in pixels."""
        found = self._found(batch)
        error = end_point_error(found.flow, batch.flow, batch.visibility)
        self.log(self.metric, error.mean(), batch_size=len(error))

    def configure_optimizers(self) -> Any:
        """Return Adam with the schedule; the rate is also halved every so many steps if that is set."""
        s = self.settings
        optimizer = adam(self.network.parameters(), s, weight_decay=s.weight_decay)
        return scheduled(optimizer, halved(rate_factor(s), s.halve_every))

    def _found(self, batch: FlowBatch) -> FlowPyramid:
        height, width = batch.flow.shape[2:]
        return self.network.pyramid(batch.source_joints, batch.target_joints, (height, width))

    def varied(self, batch: FlowBatch, draw: np.random.Generator) -> FlowBatch:
        """Shift the targets at random if the settings say so."""
        right, down = self.settings.shift
        if not (right or down):
            return batch
        count = len(batch.flow)
        each = (draw.integers(-most, most, count) if most else np.zeros(count, int) for most in (right, down))
        return shifted(batch, torch.from_numpy(np.stack([*each], axis=1)))


def halved(factor: Callable[[int], float], every: int | None) -> Callable[[int], float]:
    """Return the learning-rate factor, halved every so many steps."""
    return factor if every is None else lambda step: factor(step) * 0.5 ** (step // every)


def shifted(
    batch: FlowBatch,
    shifts: Tensor,  # (B, 2) int64, pixels right and down
) -> FlowBatch:
    """Move each target by whole pixels; new pixels are background, joints that leave are marked as not seen."""
    height, width = batch.flow.shape[2:]
    moved = batch.target_joints.clone()
    moved[..., :2] += shifts[:, None]
    inside = (moved[..., :2] >= 0) & (moved[..., :2] <= torch.tensor([width - 1, height - 1]))
    moved[..., 2] *= inside.all(dim=-1)
    flow = torch.stack([_moved(f, s, 0.0) for f, s in zip(batch.flow, shifts, strict=True)])
    seen = torch.stack([_moved(v, s, BACKGROUND) for v, s in zip(batch.visibility, shifts, strict=True)])
    parts = torch.stack([_moved(p, s, 0) for p, s in zip(batch.target_parts, shifts, strict=True)])
    flow = (flow - shifts[:, :, None, None]) * (seen < BACKGROUND)
    return batch._replace(target_joints=moved, flow=flow, visibility=seen, target_parts=parts)


def _moved(x: Tensor, shift: Tensor, outside: float) -> Tensor:  # x: (..., H, W)
    right, down = (int(n) for n in shift)
    # A negative padding crops.
    return F.pad(x, (right, -right, down, -down), value=outside)
