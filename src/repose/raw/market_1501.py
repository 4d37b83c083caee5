"""Market-1501: names of photos of people, taken by six cameras.

Photos are `{person}_c{camera}s{sequence}_{frame}_{box}.jpg`, 64 wide and 128 high. Training pairs are from
`bounding_box_train`, test pairs from `bounding_box_test` without junk (person -1) and distractors (0000).
"""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal

from repose.errors import ReposeError
from repose.raw.entry import Entry, named
from repose.raw.photo_set import LABEL_FILES, Photo, Photos

_PHOTO = re.compile(r"(-1|\d{4})_c([1-6])s\d_\d{6}_\d\d")
_PARTS = {"bounding_box_train": "train", "bounding_box_test": "test"}


class Market1501(Photos):
    """Market-1501 photos, as released or as in the archive of Intrinsic Flow."""

    entry: ClassVar[Entry] = Entry(
        what="photos of 1,501 people by 6 cameras, 64 × 128 (Zheng et al., ICCV 2015)",
        licence="research only",
        home="https://zheng-lab.cecs.anu.edu.au/Project/project_reid.html",
        get="Market-1501-v15.09.15.zip",
        files=named(
            rf"(?:(?:bounding_box_train|bounding_box_test|query|img)/-?\d+_c\ds\d_\d{{6}}_\d\d\.jpg|{LABEL_FILES})"
        ),
        expected=36_036,
        naming="{person:04}_c{camera}s{sequence}_{frame:06}_{box:02}.jpg; person -1 is junk, 0000 a distractor",
        split="bounding_box_train; bounding_box_test without -1 and 0000",
        doubts="sizes of the released pair lists",
        units="pixels",
        up="-",
    )

    source: Literal["market-1501"]

    def wanted(self, path: str) -> bool:
        """Return whether a file is a photo or a list, but not a query: queries repeat people of the test."""
        return super().wanted(path) and PurePosixPath(path).parent.name != "query"

    def photo(self, path: str) -> Photo | None:
        """Parse the path of a photo; None for junk and distractors.

        Raises:
            ReposeError: the path is not of a photo of the set.
        """
        found = _PHOTO.fullmatch(PurePosixPath(path).stem)
        if not found:
            raise ReposeError("not the name of a Market-1501 photo", path)
        person, camera = map(int, found.groups())
        return Photo(found[0], person, f"id{person}", camera) if person > 0 else None

    def published_parts(self, root: Path, paths: Sequence[str]) -> dict[str, str]:
        """Return the owners' parts, by folder."""
        photos = [PurePosixPath(path) for path in paths if path.endswith(".jpg")]
        return {path.stem: _PARTS[path.parent.name] for path in photos if path.parent.name in _PARTS}
