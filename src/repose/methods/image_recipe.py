"""What the trainings on image pairs share."""

from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from repose.data.images import ImageData, ImagePairs
from repose.data.passes import Batches, in_order, in_passes
from repose.errors import ReposeError
from repose.methods.recipe import TrainingRecipe
from repose.methods.settings import LearnedMethod
from repose.store.image_store import ImageStore


class ImageRecipe(TrainingRecipe):
    """What trainings on image pairs share. A recipe says what of the pairs it learns from."""

    open = ImageStore
    data: ImageData
    examples: ClassVar[Any]  # the method of `ImagePairs` that reads the pairs of some numbers

    @classmethod
    def read(cls, method: LearnedMethod, store: ImageStore, splits: pd.DataFrame) -> ImageData:
        """All training and validation pairs."""
        parts = (ImagePairs(store, splits[splits.role == role]) for role in ("train", "val"))
        return ImageData(store, *parts)

    def varied(self, batch: Any, draw: np.random.Generator) -> Any:
        """A training batch, changed by random numbers of its step."""
        return batch

    def batches(self, start: int, stop: int) -> Batches[Any]:
        """Training pairs, each pass over all of them in a new order."""
        pairs, read = self.data.train, type(self).examples

        def varied(chosen: NDArray[np.integer], draw: np.random.Generator) -> Any:
            return self.varied(read(pairs, chosen), draw)

        return in_passes(varied, len(pairs), self.settings.batch, self.seed, range(start, stop))

    def val_dataloader(self) -> DataLoader[Any]:
        """All validation pairs."""
        pairs, read = self.data.val, type(self).examples
        batches = in_order(partial(read, pairs), len(pairs), self.settings.batch)
        return DataLoader(batches, batch_size=None)


def check_sides(store: ImageStore, times: int) -> None:
    """Refuse images that cannot be halved so many times."""
    if any(side % 2**times for side in store.size):
        height, width = store.size
        raise ReposeError(
            f"images of {height} × {width} pixels cannot be halved {times} times",
            store.path,
            "lower `levels` of the method, or change the size of the images",
        )
