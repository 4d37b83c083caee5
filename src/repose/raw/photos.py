"""User-supplied photos, as released or as the archives of Deformable GAN and Intrinsic Flow lay them out.

Besides photos, a folder or archive may hold joints (`pose_label.pkl`, or annotation CSVs), pair lists
(`pair_split.json`, or pair CSVs), label maps (`seg/{photo}.bmp`) and correspondences (`{target}_{source}.corr`).
"""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from repose.errors import ReposeError
from repose.images.picture import MAX_BYTES, Picture, pixels
from repose.raw.image_source import PAIR_COLUMNS, ImageItem
from repose.raw.inventory import RawFile
from repose.raw.keypoints import (
    JOINTS,
    MISSING,
    is_usable,
    read_annotations,
    read_labels,
    read_pair_split,
    read_pairs,
)
from repose.raw.keys import digest_of
from repose.raw.licensed import Listed
from repose.raw.photo_set import Photo, Photos
from repose.reading import foreign, read_bytes

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP")
# one in so many training people is used for validation; the published lists have no validation part
VALIDATION = 20


class PhotoSource(Listed[Photos]):
    """The photos of an inventory; see `repose.raw.image_source.ImageSource`."""

    @cached_property
    def _by_path(self) -> dict[str, RawFile]:
        return {file.path: file for file in self.files}

    @cached_property
    def _photos(self) -> dict[str, tuple[str, Photo]]:
        """Name → path and photo."""
        found: dict[str, tuple[str, Photo]] = {}
        for path in self._by_path:
            photo = self.dataset.photo(path) if path.endswith(".jpg") else None
            if photo and photo.name in found:
                both = f"{found[photo.name][0]} and {path}"
                raise ReposeError(f"{both} are both {photo.name}", self.root, "keep one")
            if photo:
                found[photo.name] = (path, photo)
        return found

    @cached_property
    def _joints(self) -> dict[str, NDArray[np.float32]]:
        found: dict[str, NDArray[np.float32]] = {}
        for path in self._by_path:
            name = PurePosixPath(path).name
            if name == "pose_label.pkl":
                found |= read_labels(self.root / path)
            elif "annotation" in name and name.endswith(".csv"):
                found |= read_annotations(self.root / path)
        if not found:
            hint = "supply pose_label.pkl or annotation CSVs, see docs/images.md"
            raise ReposeError("no joints of the photos", self.root, hint)
        if not found.keys() & self._photos.keys():
            raise ReposeError(f"the joints are of other photos, such as {min(found)}", self.root)
        return found

    def items(self) -> list[ImageItem]:
        """A photo each, those of one outfit together; its key covers the photo, its joints and its label map."""
        parts, maps, files = self._people_parts(), self._maps(), self._by_path
        found = []
        for name in sorted(self._photos, key=lambda name: (self._photos[name][1].outfit, name)):
            path, photo = self._photos[name]
            joints = self._joints_of(name)
            label_map = files[maps[name]].sha256 if name in maps else ""
            found.append(
                ImageItem(
                    image_id=name,
                    identity=photo.identity,
                    outfit=photo.outfit,
                    pose=-1,
                    camera=photo.camera,
                    part=parts.get(name, "") if is_usable(joints[:, :2]) else "",
                    key=digest_of("photo", files[path].sha256, label_map, joints),
                    source=path,
                )
            )
        return found

    def pictures(self, items: Sequence[ImageItem]) -> Iterator[Picture]:
        """Read them, each checked against the hash in the inventory."""
        maps = self._maps()
        for item in items:
            image = self._open(item.source, "RGB")
            label_map = maps.get(item.image_id)
            segmentation = self._open(label_map, "L") if label_map else np.zeros(image.shape[:2], np.uint8)
            joints = self._joints_of(item.image_id)
            missing = joints[:, 2] == 0
            yield Picture(image, np.where(missing[:, None], 0, joints), segmentation).checked(item.source)

    def triangles(self) -> None:
        """Photos show no known mesh."""

    def pairs(self) -> pd.DataFrame | None:
        """Published pairs; those of the training people that are for validation are, too."""
        parts = self._people_parts()
        rows = {pair: [*pair, part] for part in ("train", "test") for pair in self._listed(part)}
        for (source, _), row in rows.items():
            if row[2] == "train" and parts.get(source) == "val":
                row[2] = "val"
        return pd.DataFrame(list(rows.values()), columns=PAIR_COLUMNS) if rows else None

    def correspondences(self) -> Iterator[tuple[str, str, bytes]]:
        """The .corr files, each checked against the hash in the inventory."""
        found: dict[tuple[str, str], str] = {}
        for path in self._by_path:
            if path.endswith(".corr"):
                pair = self._names(path)
                if pair in found:
                    both = f"{found[pair]} and {path}"
                    raise ReposeError(f"{both} are both of one pair of photos", self.root, "keep one")
                found[pair] = path
                yield *pair, self._read(path)

    def _joints_of(self, name: str) -> NDArray[np.float32]:
        joints = self._joints.get(name, np.full((JOINTS, 2), MISSING, np.float32))
        seen = (joints != MISSING).all(axis=1)
        return np.concatenate([joints, seen[:, None]], axis=1).astype(np.float32)

    def _people_parts(self) -> dict[str, str]:
        """Return the part of each photo: as published, except for training people that are used for validation."""
        parts = self.dataset.published_parts(self.root, list(self._by_path))
        for part in ("test", "train"):
            parts |= {name: part for pair in self._listed(part) for name in pair}
        if not parts:
            hint = "supply pair_split.json, pair CSVs or list_eval_partition.txt, see docs/images.md"
            raise ReposeError("nothing says which photos are for training", self.root, hint)
        known = {name: part for name, part in parts.items() if name in self._photos}
        people = sorted({self._photos[name][1].identity for name, part in known.items() if part == "train"})
        validation = set(people[VALIDATION - 1 :: VALIDATION] or people[-1:])
        return {
            name: "val" if part == "train" and self._photos[name][1].identity in validation else part
            for name, part in known.items()
        }

    def _listed(self, part: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for path in self._by_path:
            name = PurePosixPath(path).name
            if name == "pair_split.json":
                found += read_pair_split(self.root / path).get(part, [])
            elif name.endswith(".csv") and "pairs" in name and part in name:
                found += read_pairs(self.root / path)
        return found

    def _maps(self) -> dict[str, str]:
        return {PurePosixPath(path).stem: path for path in self._by_path if path.endswith(".bmp")}

    def _names(self, path: str) -> tuple[str, str]:
        """Source and target of a `{target}_{source}.corr`; names have underscores too."""
        stem = PurePosixPath(path).stem
        for cut in (match.start() for match in re.finditer("_", stem)):
            if stem[:cut] in self._photos and stem[cut + 1 :] in self._photos:
                return stem[cut + 1 :], stem[:cut]
        raise ReposeError("its name is not of two photos that are there", path, "{target}_{source}.corr")

    def _open(self, path: str, mode: str) -> NDArray[np.uint8]:
        """The pixels of an image, decoded whole: (H, W, 3) in mode RGB, (H, W) in mode L."""
        data = self._read(path)
        with foreign(self.root / path, "not a readable image", "the file is damaged; get it again"):
            return pixels(data, mode, FORMATS)

    def _read(self, path: str) -> bytes:
        data = read_bytes(self.root / path, MAX_BYTES)
        if not self._by_path[path].is_of(data):
            raise ReposeError(
                "has changed since the raw files were listed", self.root / path, "run the workflow again"
            )
        return data
