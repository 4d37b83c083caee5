"""How it learns. What is not said here is as in `repose.methods.recipe`: batches, validation, optimiser, schedule."""

from torch import Tensor

from repose.data.meshes import Batch
from repose.methods.recipe import TransferRecipe


class OffsetsRecipe(TransferRecipe):
    """Mean absolute error of vertices in random orders."""

    def training_step(self, batch: Batch, index: int) -> Tensor:
        out = self.network(batch.identity[:, batch.identity_order], batch.pose[:, batch.pose_order])
        loss = (out.vertices - batch.truth[:, batch.identity_order]).abs().mean()
        self.log("loss", loss, batch_size=len(batch.identity))
        return loss
