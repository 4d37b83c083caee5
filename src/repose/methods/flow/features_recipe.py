"""Features for the perceptual loss, learned from the segmentation of the dataset's own images."""

from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader

from repose.data.images import InOrder, PairStream, PartBatch
from repose.methods.image_recipe import ImageRecipe
from repose.methods.layers.fixed_order import pixel_cross_entropy


class ImageFeaturesRecipe(ImageRecipe):
    """Cross entropy of the parts of the body, over all pixels."""

    metric = "val_cross_entropy"

    def batches(self, start: int, stop: int) -> PairStream:
        """Targets of training pairs."""
        pairs, size = self.data.train, self.settings.batch
        return PairStream(pairs.parts, len(pairs), size, self.seed, start, stop)

    def val_dataloader(self) -> DataLoader[Any]:
        """Targets of all validation pairs."""
        pairs = self.data.val
        return DataLoader(InOrder(pairs.parts, len(pairs), self.settings.batch), batch_size=None)

    def training_step(self, batch: PartBatch, index: int) -> Tensor:
        """Mean cross entropy of a batch."""
        return pixel_cross_entropy(self.network(batch.image), batch.parts)

    def validation_step(self, batch: PartBatch, index: int) -> None:
        """Mean cross entropy of the validation images."""
        loss = pixel_cross_entropy(self.network(batch.image), batch.parts)
        self.log(self.metric, loss, batch_size=len(batch.image))
