"""Market-1501: names of photos, and pairs of photos of one person.

Photos are `{person}_c{camera}s{sequence}_{frame}_{box}.jpg`, 64 wide and 128 high. Training pairs are of
`bounding_box_train`, test pairs of `bounding_box_test` without junk (person -1) and distractors (0000).
"""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby, permutations
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from repose.errors import ReposeError
from repose.raw.keypoints import is_usable

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


def pairs(samples: Iterable[str], joints: Mapping[str, np.ndarray]) -> list[tuple[str, str]]:
    """All ordered pairs of different usable photos of one person, across cameras, sorted; samples are file stems."""
    usable = sorted(s for s in samples if parse_name(s).is_person and s in joints and is_usable(joints[s]))
    return [
        pair
        for _, group in groupby(usable, key=lambda s: parse_name(s).person)
        for pair in permutations(group, 2)
    ]
