"""The common part of the trainings on image pairs."""

from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from repose.data.batches import Batches, in_epochs, in_order
from repose.data.images import ImageData, ImagePairs
from repose.errors import ReposeError
from repose.methods.recipe import TrainingRecipe
from repose.methods.settings import LearnedMethod
from repose.store.image_store import ImageStore


class ImageRecipe(TrainingRecipe):
    """The common part of trainings on image pairs; a recipe states what it reads of each pair."""

    open = ImageStore
    data: ImageData
    examples: ClassVar[Any]  # the method of `ImagePairs` that reads the pairs of given numbers

    @classmethod
    def read(cls, method: LearnedMethod, store: ImageStore, splits: pd.DataFrame) -> ImageData:
        """Return all training and validation pairs."""
        parts = (ImagePairs(store, splits[splits.role == role]) for role in ("train", "val"))
        return ImageData(store, *parts)

    def varied(self, batch: Any, draw: np.random.Generator) -> Any:
        """Return a training batch, augmented with random numbers of its step."""
        return batch

    def batches(self, start: int, stop: int) -> Batches[Any]:
        """Yield training pairs; each pass goes over all pairs in a new order."""
        pairs, read = self.data.train, type(self).examples

        def varied(chosen: NDArray[np.integer], draw: np.random.Generator) -> Any:
            return self.varied(read(pairs, chosen), draw)

        return in_epochs(varied, len(pairs), self.settings.batch, self.seed, range(start, stop))

    def val_dataloader(self) -> DataLoader[Any]:
        """Return all validation pairs."""
        pairs, read = self.data.val, type(self).examples
        batches = in_order(partial(read, pairs), len(pairs), self.settings.batch)
        return DataLoader(batches, batch_size=None)


def check_sides(store: ImageStore, times: int) -> None:
    """Refuse images whose sides cannot be halved so many times."""
    if any(side % 2**times for side in store.size):
        height, width = store.size
        raise ReposeError(
            f"images of {height} × {width} pixels cannot be halved {times} times",
            store.path,
            "lower `levels` of the method, or change the size of the images",
        )
