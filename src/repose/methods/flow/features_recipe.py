"""Features for the perceptual loss, learned from the segmentation of the dataset's own images."""

from torch import Tensor

from repose.data.images import ImagePairs, PartBatch
from repose.methods.image_recipe import ImageRecipe
from repose.methods.layers.fixed_order import pixel_cross_entropy


class ImageFeaturesRecipe(ImageRecipe):
    """Train on the cross entropy of the parts of the body over all pixels."""

    metric = "val_cross_entropy"
    examples = ImagePairs.parts

    def training_step(self, batch: PartBatch, index: int) -> Tensor:
        """Return the mean cross entropy of a batch."""
        return pixel_cross_entropy(self.network(batch.image), batch.parts)
