"""Convert some images: the piece of work that runs in a thread or in a Dask worker."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from repose.convert.cache import cache_key, write_synced
from repose.errors import ReposeError
from repose.images.picture import Picture
from repose.raw.image_source import ImageItem, ImageSource

SUFFIXES = (".png", ".npz")


@dataclass(frozen=True)
class ConvertedImage:
    """An image in the cache: the stem of its files, its digest, its size in pixels, and whether it was made now."""

    stem: str
    digest: str
    height: int
    width: int
    made: bool


@dataclass(frozen=True)
class ImageBatch:
    """Converts batches of images into one folder of files named by what they follow from and what they are.

    Snakemake deletes the outputs of a rule before it runs the rule again; this folder no rule declares, so that a
    later conversion costs only what changed.
    """

    source: ImageSource
    folder: Path
    code: str

    def __call__(self, items: Sequence[ImageItem]) -> list[ConvertedImage]:
        """Find or make the images of some items."""
        found = {item.image_id: self._find(item) for item in items}
        missing = [item for item in items if found[item.image_id] is None]
        for item, picture in zip(missing, self.source.pictures(missing), strict=True):
            found[item.image_id] = self._keep(item, picture)
        return [record for record in found.values() if record]

    def _find(self, item: ImageItem) -> ConvertedImage | None:
        for png in self.folder.glob(f"{cache_key(item.key, self.code)}-*.png"):
            try:
                picture = Picture.read(png)
            except ReposeError:
                continue
            if png.stem.endswith(f"-{picture.digest}"):
                return _record(png.stem, picture, made=False)
        return None

    def _keep(self, item: ImageItem, picture: Picture) -> ConvertedImage:
        stem = f"{cache_key(item.key, self.code)}-{picture.digest}"
        for suffix, content in zip(SUFFIXES, picture.encode(), strict=True):
            path = self.folder / f"{stem}{suffix}"
            # Names say the content, but a file may have been spoilt through its published link.
            path.unlink(missing_ok=True)
            write_synced(path, content)
        return _record(stem, picture, made=True)

    def link(self, record: ConvertedImage, target: Path) -> None:
        """Publish the files of an image as `target` with their suffixes."""
        for suffix in SUFFIXES:
            os.link(self.folder / f"{record.stem}{suffix}", target.with_name(f"{target.name}{suffix}"))

    def keep_only(self, records: Sequence[ConvertedImage]) -> None:
        """Remove all other files."""
        kept = {f"{record.stem}{suffix}" for record in records for suffix in SUFFIXES}
        for entry in self.folder.iterdir():
            if entry.name not in kept:
                entry.unlink()


def _record(stem: str, picture: Picture, made: bool) -> ConvertedImage:
    height, width = picture.image.shape[:2]
    return ConvertedImage(stem, picture.digest, height, width, made)
