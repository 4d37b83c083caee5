"""The interface of every dataset of images to the stage `convert`: a list of images, and the images themselves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from repose.columns import PAIR
from repose.images.picture import Picture

PAIR_COLUMNS = [*PAIR, "part"]


@dataclass(frozen=True)
class ImageItem:
    """One image.

    Attributes:
        image_id: name of the image.
        identity, outfit: person and clothes, as texts or numbers that are unique in the dataset; images of one outfit
            are paired.
        pose, camera: numbers, or -1 where unknown.
        part: train, val or test; empty for an image that only published pairs use.
        key: hex digest of everything that the image depends on, except code.
        source: its origin, for people to read.
        labels: further columns of the catalogue, such as known attributes of garments.
    """

    image_id: str
    identity: int
    outfit: str
    pose: int
    camera: int
    part: str
    key: str
    source: str
    labels: dict[str, Any] = field(default_factory=dict)


class ImageSource(Protocol):
    """The images of one dataset.

    It is sent to worker processes, so it can be pickled, and holds paths and settings but no data.
    """

    @property
    def licence(self) -> str:
        """The licence of the images, as stated in the catalogue."""

    def items(self) -> list[ImageItem]:
        """Return all images, with those of one outfit together.

        Raises:
            ReposeError: the raw data are missing, incomplete, or not those of the dataset.
        """

    def pictures(self, items: Sequence[ImageItem]) -> Iterator[Picture]:
        """Yield the images of items with their labels, in order, one at a time.

        Raises:
            ReposeError: the next image is damaged, or has changed since it was listed.
        """

    def triangles(self) -> NDArray[np.int32] | None:
        """Return the faces (F, 3) of the mesh that rendered images show; None for photos."""

    def pairs(self) -> pd.DataFrame | None:
        """Published pairs, if there are such: columns `PAIR_COLUMNS`, of which `part` is train, val or test."""

    def correspondences(self) -> Iterator[tuple[str, str, bytes]]:
        """Of each pair of photos with a .corr file: source, target, and the content of the file.

        Raises:
            ReposeError: the next file has changed since it was listed, or its name is not of two photos.
        """
