"""DeepFashion In-shop Clothes Retrieval: names of photos, and the official partition.

Photos are `img/{MEN,WOMEN}/{category}/id_{item}/{variation}_{k}_{view}.jpg`. Pose-transfer systems flatten that path to
one name, here as Deformable GAN does, and pair photos of the same item and variation: the same person in the same
clothes. They split by their own lists, which are no longer offered, and not by the official partition.
"""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Literal

from pydantic import Field

from repose.errors import ReposeError
from repose.raw.entry import Entry, named
from repose.raw.photo_set import LABEL_FILES, Photo, Photos
from repose.raw.settings import Official
from repose.reading import read_text

_PHOTO = re.compile(r"(?:^|/)(MEN|WOMEN)/(\w+)/id_(\d{8})/(\d\d)_(\d)_(\w+)\.jpg$")
_FLAT = re.compile(r"fasion(?:WOMEN|MEN)[A-Za-z]+id(\d{8})\d\d_\d\w+")
PARTS = ("train", "query", "gallery")


class DeepFashion(Photos):
    """DeepFashion In-shop photos, as released or as in the archive of Intrinsic Flow."""

    entry: ClassVar[Entry] = Entry(
        what="In-shop Clothes Retrieval: 52,712 photos of people, 256 × 256 (Liu et al., CVPR 2016)",
        licence="research only, password on request",
        home="https://mmlab.ie.cuhk.edu.hk/projects/DeepFashion/InShopRetrieval.html",
        get="img.zip, unpacked with the password they give",
        files=named(rf"(?:(?:MEN|WOMEN)/\w+/id_\d{{8}}/\d\d_\d_\w+\.jpg|fasion\w+\.jpg|{LABEL_FILES})"),
        expected=52_712,
        naming="{MEN,WOMEN}/{category}/id_{item}/{variation}_{k}_{view}.jpg: outfit = item and variation",
        split="lists of pairs (Deformable GAN, Intrinsic Flow)",
        doubts="their split lists are no longer offered; sizes of the released lists",
        units="pixels",
        up="-",
    )

    source: Literal["deepfashion"]
    official: Official | None = Field(
        None, description="the published scorers, by path and hash; null: no FashionIS and no AttrRec"
    )

    def raw_settings(self) -> dict[str, Any]:
        """The settings that the images depend on, without the scorers."""
        return {k: v for k, v in super().raw_settings().items() if k != "official"}

    def photo(self, path: str) -> Photo | None:
        """Parse the path of a photo, as released or flattened."""
        name = sample_id(path) if _PHOTO.search(path) else PurePosixPath(path).stem
        found = _FLAT.fullmatch(name)
        return Photo(name, int(found[1]), outfit(name), -1) if found else None

    def published_parts(self, root: Path, paths: Sequence[str]) -> dict[str, str]:
        """Return the owners' partition by items: query and gallery are the test part."""
        lists = [path for path in paths if path.endswith("list_eval_partition.txt")]
        rows = {photo: part for path in lists for photo, part in read_partition(root / path).items()}
        return {sample_id(photo): "train" if part == "train" else "test" for photo, part in rows.items()}


def sample_id(path: str) -> str:
    """Return a photo's name in the published lists, with their spelling.

    For instance, `img/WOMEN/Dresses/id_00000416/06_7_additional.jpg` becomes
    `fasionWOMENDressesid0000041606_7additional`.

    Raises:
        ReposeError: the path is not of a photo of the set.
    """
    found = _PHOTO.search(path)
    if not found:
        raise ReposeError("not the path of an In-shop photo", path)
    gender, category, item, variation, number, view = found.groups()
    return f"fasion{gender}{category.replace('_', '')}id{item}{variation}_{number}{view}"


def outfit(sample: str) -> str:
    """Return person and clothes of a photo: all photos of one outfit may be paired."""
    return sample.split("_", 1)[0]


def read_partition(path: Path) -> dict[str, str]:
    """Read the parts of photos, by path, from `list_eval_partition.txt`.

    The file has a count, a header, then photo, item and part, separated by blanks.

    Raises:
        ReposeError: a line is malformed; the message names file and line.
    """
    lines = read_text(path).splitlines()
    if len(lines) < 2 or not lines[0].strip().isdecimal() or int(lines[0]) != len(lines) - 2:
        rows = max(0, len(lines) - 2)
        raise ReposeError(f"line 1 does not count the {rows} rows", path, "the file is cut short")
    found = {}
    for number, line in enumerate(lines[2:], 3):
        row = line.split()
        if len(row) != 3:
            raise ReposeError(f"{len(row)} columns instead of 3", f"{path}:{number}")
        photo, _, part = row
        if part not in PARTS:
            raise ReposeError(f"unknown part {part!r}", f"{path}:{number}")
        found[photo] = part
    return found
