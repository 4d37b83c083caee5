"""DeepFashion In-shop Clothes Retrieval: names of photos, and the official partition.

Photos are `img/{MEN,WOMEN}/{category}/id_{item}/{variation}_{k}_{view}.jpg`. Pose-transfer systems flatten that path
to one name, here as Deformable GAN does, and pair photos of the same item and variation: the same person in the same
clothes. Their split is of their own lists and not the official partition; those lists are no longer offered.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from repose.config.images import DeepFashion
from repose.errors import ReposeError
from repose.raw.inventory import Inventory, Wanted
from repose.raw.photos import Photo, PhotoSource
from repose.raw.registry import ENTRIES
from repose.reading import read_text

_PHOTO = re.compile(r"(?:^|/)(MEN|WOMEN)/(\w+)/id_(\d{8})/(\d\d)_(\d)_(\w+)\.jpg$")
PARTS = ("train", "query", "gallery")


def sample_id(path: str) -> str:
    """`img/WOMEN/Dresses/id_00000416/06_7_additional.jpg` → `fasionWOMENDressesid0000041606_7additional`.

    The spelling is that of the published lists.

    Raises:
        ReposeError: not a photo of the set.
    """
    found = _PHOTO.search(path)
    if not found:
        raise ReposeError("not the path of an In-shop photo", path)
    gender, category, item, variation, number, view = found.groups()
    return f"fasion{gender}{category.replace('_', '')}id{item}{variation}_{number}{view}"


def outfit(sample: str) -> str:
    """Person and clothes of a photo: all photos of one outfit may be paired."""
    return sample.split("_", 1)[0]


def read_partition(path: Path) -> dict[str, tuple[str, str]]:
    """`list_eval_partition.txt`: photo path → (item, part)."""
    found = {}
    for line, (photo, item, part) in _table(path, 3):
        if part not in PARTS:
            raise ReposeError(f"unknown part {part!r}", f"{path}:{line}")
        found[photo] = (item, part)
    return found


def _table(path: Path, columns: int) -> Iterator[tuple[int, list[str]]]:
    """Rows of a list of the owners: a count, a header, then columns apart by blanks."""
    lines = read_text(path).splitlines()
    if len(lines) < 2 or not lines[0].strip().isdecimal() or int(lines[0]) != len(lines) - 2:
        raise ReposeError(
            f"line 1 does not count the {max(0, len(lines) - 2)} rows", path, "the file is cut short"
        )
    for number, line in enumerate(lines[2:], 3):
        row = line.split()
        if len(row) != columns:
            raise ReposeError(f"{len(row)} columns instead of {columns}", f"{path}:{number}")
        yield number, row


_ENTRY = ENTRIES["deepfashion"]
_FLAT = re.compile(r"fasion(?:WOMEN|MEN)[A-Za-z]+id(\d{8})\d\d_\d\w+")


def wanted(dataset: DeepFashion) -> Wanted:
    """Photos, and what Intrinsic Flow and Deformable GAN published of them."""
    return lambda path: _ENTRY.match(path) is not None


def check(dataset: DeepFashion, inventory: Inventory) -> None:
    """Any number of photos will do."""


def open_images(dataset: DeepFashion, raw: Path) -> PhotoSource:
    """See `repose.raw.image_source.open_images`; `raw` is the inventory."""
    return PhotoSource(raw.absolute(), _ENTRY.licence, _photo, _official)


def _photo(path: str) -> Photo | None:
    name = sample_id(path) if _PHOTO.search(path) else PurePosixPath(path).stem
    found = _FLAT.fullmatch(name)
    return Photo(name, int(found[1]), outfit(name), -1) if found else None


def _official(root: Path, paths: Sequence[str]) -> dict[str, str]:
    """The owners' own parts, by items."""
    lists = [path for path in paths if path.endswith("list_eval_partition.txt")]
    rows = {photo: part for path in lists for photo, (_, part) in read_partition(root / path).items()}
    return {sample_id(photo): "train" if part == "train" else "test" for photo, part in rows.items()}
