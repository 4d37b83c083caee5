"""Datasets of photos that the user supplies. Nothing slow is imported at the top, for Snakemake's sake."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from repose.raw.licensed import Licensed
from repose.raw.settings import ImageSet

if TYPE_CHECKING:
    from repose.raw.photos import PhotoSource

LABEL_FILES = (  # files beside the photos: joints, pair lists, label maps, correspondences
    r"pose_label\.pkl|pair_split\.json|[\w-]*annotation[\w-]*\.csv|[\w-]*pairs[\w-]*\.csv"
    r"|seg/[^/]+\.bmp|[^/]+\.corr|list_eval_partition\.txt"
)


@dataclass(frozen=True)
class Photo:
    """The information in the path of a photo.

    Attributes:
        name: name in published lists.
        identity: number of the person.
        outfit: person and clothes; photos of one outfit are paired.
        camera: number of the camera; -1 where unknown.
    """

    name: str
    identity: int
    outfit: str
    camera: int


class Photos(ImageSet, Licensed):
    """Photos that the user supplies, with joints and, for flow, correspondences."""

    def photo(self, path: str) -> Photo | None:
        """Parse the path of a photo; None for a photo that is left out."""
        raise NotImplementedError

    def published_parts(self, root: Path, paths: Sequence[str]) -> dict[str, str]:
        """Return `train` or `test` by name of the photo, if the owners define parts.

        Args:
            root: the folder that `paths` are relative to.
            paths: all used files.

        Raises:
            ReposeError: a list of the owners is malformed.
        """
        raise NotImplementedError

    def open_source(self, raw: Path) -> "PhotoSource":
        """Open the photos of the inventory `raw`; see `repose.raw.settings.Dataset`."""
        from repose.raw.photos import PhotoSource

        return PhotoSource.of(raw, self)
