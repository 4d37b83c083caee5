"""Convert some images: the piece of work that runs in a thread or in a Dask worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from repose.convert.cache import Converted, cache_key, write_converted
from repose.raw.image_source import ImageItem, ImageSource

SUFFIXES = (".png", ".npz")


@dataclass(frozen=True)
class ImageBatch:
    """Converts batches of items into one folder; it pickles.

    Attributes:
        source: of the images.
        folder: of the cache.
        code: hash of the code that converts.
    """

    source: ImageSource
    folder: Path
    code: str

    def __call__(self, items: Sequence[ImageItem]) -> list[Converted]:
        """Convert items, those of one outfit together: the person is dressed once."""
        made = []
        for item, picture in zip(items, self.source.pictures(items), strict=True):
            height, width = picture.image.shape[:2]
            measures = {"sha256": picture.digest, "height": height, "width": width}
            contents = dict(zip(SUFFIXES, picture.encode(), strict=True))
            key = cache_key(item.key, self.code)
            made.append(write_converted(self.folder, key, item.image_id, contents, measures))
        return made
