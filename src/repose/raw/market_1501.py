"""Market-1501: names of photos.

Photos are `{person}_c{camera}s{sequence}_{frame}_{box}.jpg`, 64 wide and 128 high. Training pairs are of
`bounding_box_train`, test pairs of `bounding_box_test` without junk (person -1) and distractors (0000).
"""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from repose.config.images import Market1501
from repose.errors import ReposeError
from repose.raw.inventory import Inventory, Wanted
from repose.raw.photos import Photo as Known
from repose.raw.photos import PhotoSource
from repose.raw.registry import ENTRIES

_PHOTO = re.compile(r"(-1|\d{4})_c([1-6])s(\d)_(\d{6})_(\d\d)")


class Photo(NamedTuple):
    """What the name of a photo says."""

    person: int
    camera: int
    sequence: int
    frame: int
    box: int

    @property
    def is_person(self) -> bool:
        """Whether it shows one of the 1,501 people."""
        return self.person > 0


def parse_name(path: str) -> Photo:
    """What a photo's name says.

    Raises:
        ReposeError: not a photo of the set.
    """
    found = _PHOTO.fullmatch(PurePosixPath(path).name.removesuffix(".jpg"))
    if not found:
        raise ReposeError("not the name of a Market-1501 photo", path)
    return Photo(*map(int, found.groups()))


_ENTRY = ENTRIES["market-1501"]
_PARTS = {"bounding_box_train": "train", "bounding_box_test": "test"}


def wanted(dataset: Market1501) -> Wanted:
    """Photos, and what Intrinsic Flow and Deformable GAN published of them; queries repeat people of the test."""
    return lambda path: _ENTRY.match(path) is not None and PurePosixPath(path).parent.name != "query"


def check(dataset: Market1501, inventory: Inventory) -> None:
    """Any number of photos will do."""


def open_images(dataset: Market1501, raw: Path) -> PhotoSource:
    """See `repose.raw.image_source.open_images`; `raw` is the inventory."""
    return PhotoSource(raw.absolute(), _ENTRY.licence, _photo, _folders)


def _photo(path: str) -> Known | None:
    photo = parse_name(path)
    name = PurePosixPath(path).stem
    return Known(name, photo.person, f"id{photo.person}", photo.camera) if photo.is_person else None


def _folders(root: Path, paths: Sequence[str]) -> dict[str, str]:
    """The owners' own parts, by folders."""
    photos = [PurePosixPath(path) for path in paths if path.endswith(".jpg")]
    return {path.stem: _PARTS[path.parent.name] for path in photos if path.parent.name in _PARTS}
