"""How it learns. Batches, validation, optimiser and schedule are as in `repose.methods.transfer_recipe`."""

from torch import Tensor

from repose.data.meshes import Batch
from repose.methods.transfer_recipe import TransferRecipe


class OffsetsRecipe(TransferRecipe):
    """Mean absolute error of vertices in random orders."""

    def training_step(self, batch: Batch, index: int) -> Tensor:
        out = self.network(batch.identity[:, batch.identity_order], batch.pose[:, batch.pose_order])
        return (out.vertices - batch.truth[:, batch.identity_order]).abs().mean()
