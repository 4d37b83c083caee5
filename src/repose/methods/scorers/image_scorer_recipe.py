"""Training of the scorer from the known attributes of training images."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from repose.data.images import ImagePairs, LabelBatch
from repose.methods.image_recipe import ImageRecipe


class ImageScorerRecipe(ImageRecipe):
    """Cross entropy of the kind of clothes, and of each attribute, of targets with and without their background."""

    metric = "val_cross_entropy"
    examples = ImagePairs.labelled

    def varied(self, batch: LabelBatch, draw: np.random.Generator) -> LabelBatch:
        """Half of the targets mirrored, half of them cut out."""
        return varied(batch, draw)

    def training_step(self, batch: LabelBatch, index: int) -> Tensor:
        """Sum of both."""
        found = self.network(batch.image, batch.parts)
        kind = F.cross_entropy(found.kind, batch.kind)
        # A sum over the attributes: most of them are absent and soon told to be.
        each = F.binary_cross_entropy_with_logits(found.attributes, batch.attributes, reduction="none")
        return kind + each.sum(dim=1).mean()


def varied(batch: LabelBatch, draw: np.random.Generator) -> LabelBatch:
    """Mirror some images, and take the background of some away."""
    mirrored, cut = (torch.from_numpy(draw.random((2, len(batch.image), 1, 1, 1)) < 0.5)).unbind()
    image = torch.where((batch.parts > 0)[:, None] | ~cut, batch.image, torch.full_like(batch.image, -1.0))
    return batch._replace(
        image=torch.where(mirrored, image.flip(-1), image),
        parts=torch.where(mirrored[:, 0], batch.parts.flip(-1), batch.parts),
    )
