"""DeepFashion In-shop Clothes Retrieval: names of photos, the official partition, boxes, and pairs.

Photos are `img/{MEN,WOMEN}/{category}/id_{item}/{variation}_{k}_{view}.jpg`. Pose-transfer systems flatten that path
to one name, here as Deformable GAN does, and pair photos of the same item and variation: the same person in the same
clothes. Their split is of their own lists and not the official partition; those lists are no longer offered.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, permutations
from pathlib import Path, PurePosixPath

import numpy as np

from repose.config.images import DeepFashion
from repose.errors import ReposeError
from repose.raw.inventory import Inventory, Wanted
from repose.raw.keypoints import is_usable
from repose.raw.photos import Photo, PhotoSource
from repose.raw.registry import ENTRIES

_PHOTO = re.compile(r"(?:^|/)(MEN|WOMEN)/(\w+)/id_(\d{8})/(\d\d)_(\d)_(\w+)\.jpg$")
CLOTHES = {1: "upper", 2: "lower", 3: "full"}
VIEWS = {1: "front", 2: "side", 3: "back", 4: "zoom-out", 5: "zoom-in", 6: "stand-alone"}
PARTS = ("train", "query", "gallery")


@dataclass(frozen=True)
class Box:
    """What the owners say of a photo: kind of clothes, view, and the box (x1, y1, x2, y2) in pixels."""

    clothes: str
    view: str
    box: tuple[int, int, int, int]


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


def read_boxes(path: Path) -> dict[str, Box]:
    """`list_bbox_inshop.txt`: photo path → kind, view and box."""
    found = {}
    for line, (photo, *numbers) in _table(path, 7):
        try:
            clothes, view, *box = (int(n) for n in numbers)
            found[photo] = Box(CLOTHES[clothes], VIEWS[view], (box[0], box[1], box[2], box[3]))
        except (ValueError, KeyError):
            raise ReposeError(f"malformed box {' '.join(numbers)!r}", f"{path}:{line}") from None
    return found


def pairs(samples: Iterable[str], joints: Mapping[str, np.ndarray]) -> list[tuple[str, str]]:
    """All ordered pairs of different usable photos of one outfit, sorted."""
    usable = sorted(s for s in samples if s in joints and is_usable(joints[s]))
    return [pair for _, group in groupby(usable, key=outfit) for pair in permutations(group, 2)]


def _table(path: Path, columns: int) -> Iterator[tuple[int, list[str]]]:
    """Rows of a list of the owners: a count, a header, then columns apart by blanks."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ReposeError(f"cannot read: {error.strerror}", path) from None
    except UnicodeDecodeError:
        raise ReposeError("not a text file", path) from None
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
