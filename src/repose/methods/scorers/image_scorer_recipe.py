"""Training of the scorer from the known attributes of training images."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from repose.data.images import ImagePairs, LabelBatch
from repose.methods.image_recipe import ImageRecipe


class ImageScorerRecipe(ImageRecipe):
    """Train on the cross entropies of the kind of clothes and of all attributes, with and without background."""

    metric = "val_cross_entropy"
    examples = ImagePairs.labelled

    def varied(self, batch: LabelBatch, draw: np.random.Generator) -> LabelBatch:
        """Mirror half of the targets, and remove the background of half of them."""
        return varied(batch, draw)

    def training_step(self, batch: LabelBatch, index: int) -> Tensor:
        """Return the cross entropy of the kind plus that of all attributes."""
        found = self.network(batch.image, batch.parts)
        kind = F.cross_entropy(found.kind, batch.kind)
        # The sum over the attributes, as most of them are absent, which is learned quickly.
        each = F.binary_cross_entropy_with_logits(found.attributes, batch.attributes, reduction="none")
        return kind + each.sum(dim=1).mean()


def varied(batch: LabelBatch, draw: np.random.Generator) -> LabelBatch:
    """Mirror half of the images, and remove the background of half of them."""
    mirrored, cut = (torch.from_numpy(draw.random((2, len(batch.image), 1, 1, 1)) < 0.5)).unbind()
    image = torch.where((batch.parts > 0)[:, None] | ~cut, batch.image, torch.full_like(batch.image, -1.0))
    return batch._replace(
        image=torch.where(mirrored, image.flip(-1), image),
        parts=torch.where(mirrored[:, 0], batch.parts.flip(-1), batch.parts),
    )
