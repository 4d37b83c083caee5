"""What the trainings on image pairs share."""

from pathlib import Path

import pandas as pd

from repose.data.images import ImageData, ImagePairs
from repose.errors import ReposeError
from repose.methods.recipe import TrainingRecipe
from repose.methods.settings import LearnedMethod
from repose.store.image_store import ImageStore


class ImageRecipe(TrainingRecipe):
    """What trainings on image pairs share."""

    data: ImageData

    @staticmethod
    def open(store: Path) -> ImageStore:
        """The packed images."""
        return ImageStore(store)

    @classmethod
    def read(cls, method: LearnedMethod, store: ImageStore, splits: pd.DataFrame) -> ImageData:
        """All training and validation pairs."""
        parts = (ImagePairs(store, splits[splits.role == role]) for role in ("train", "val"))
        return ImageData(store, *parts)


def check_sides(store: ImageStore, times: int) -> None:
    """Refuse images that cannot be halved so many times."""
    if any(side % 2**times for side in store.size):
        height, width = store.size
        raise ReposeError(
            f"images of {height} × {width} pixels cannot be halved {times} times",
            store.path,
            "lower `levels` of the method, or change the size of the images",
        )
