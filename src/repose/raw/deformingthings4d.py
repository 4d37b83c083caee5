"""DeformingThings4D: animated animals, as NPR (NeurIPS 2024) uses them (Li et al., ICCV 2021).

Each animal has a mesh of its own, so that it makes a dataset of its own: one identity in many poses. Pose 0 is frame 0
of the alphabetically first motion, NPR's template. The others are frames drawn without replacement from all frames
0, 3, 6, … of all motions, in the order of motion and frame; that NPR took its 300 targets so is not verified (its
configs hold frames of 26 to 66 motions per animal, every number divisible by 3). One similarity, from the template's
box, applies to all poses: scaling each frame by itself would hide a change of size in the pose. The files' up axis is
taken to be z, because the authors' renderer hands coordinates to Blender unchanged; it is not documented.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np

from repose.config.datasets import DeformingThings4D
from repose.errors import MeshError, ReposeError
from repose.mesh.formats.io import read_bytes
from repose.mesh.mesh import Mesh
from repose.raw.anime import HEADER, Animation, frame_count, parse_anime
from repose.raw.box import Similarity, unit_box
from repose.raw.files import as_float32, located, mesh_key, z_up
from repose.raw.inventory import Inventory, RawFile, Wanted
from repose.raw.registry import ENTRIES
from repose.raw.source import Item

ENTRY = ENTRIES["deformingthings4d"]


def wanted(dataset: DeformingThings4D) -> Wanted:
    """The animations of the animal."""
    return partial(_is_of, dataset.animal)


def check(dataset: DeformingThings4D, inventory: Inventory) -> None:
    """Any number of motions will do."""


@dataclass(frozen=True)
class AnimationSource:
    """The template and the drawn frames of one animal; see `repose.raw.source.Source`."""

    inventory: Path
    root: Path
    dataset: DeformingThings4D

    @property
    def licence(self) -> str:
        """The dataset's licence."""
        return ENTRY.licence

    def items(self) -> list[Item]:
        """The template as pose 0, then the drawn frames."""
        listed = Inventory.read(self.inventory)
        template = listed.files[0]
        frames = [
            (file, frame)
            for file in listed.files
            for frame in range(0, _frames(self.root, file), self.dataset.stride)
            if (file, frame) != (template, 0)
        ]
        if len(frames) < self.dataset.frames:
            raise ReposeError(
                f"{self.dataset.animal} has {len(frames)} frames besides its template, fewer than "
                f"{self.dataset.frames}",
                self.root,
                "ask for fewer `frames`, or a smaller `stride`",
            )
        rng = np.random.default_rng(self.dataset.seed)
        chosen = np.sort(rng.choice(len(frames), self.dataset.frames, replace=False))
        picked = [(template, 0), *(frames[k] for k in chosen.tolist())]
        return [
            Item(0, pose, self._key(template, file, frame), f"{file.path}:{frame}")
            for pose, (file, frame) in enumerate(picked)
        ]

    def meshes(self, items: Sequence[Item]) -> Iterator[Mesh]:
        """Read frames; a file is read once for the frames that follow one another."""
        listed = Inventory.read(self.inventory)
        files = {file.path: file for file in listed.files}
        template = listed.files[0]
        first = _read(self.root, template)
        box = unit_box(first.first)
        for path, group in groupby(items, key=lambda item: item.source.rpartition(":")[0]):
            animation = first if path == template.path else _read(self.root, files[path])
            for item in group:
                yield self._mesh(animation, first, box, item, self.root)

    def _mesh(
        self, animation: Animation, template: Animation, box: Similarity, item: Item, root: Path
    ) -> Mesh:
        if not np.array_equal(animation.faces, template.faces):
            raise MeshError(
                "has another mesh than the first motion", root / item.source, "leave this motion out"
            )
        frame = int(item.source.rpartition(":")[2])
        mesh = Mesh(box(animation.frame(frame).astype(np.float64)), animation.faces)
        return as_float32(z_up(mesh) if self.dataset.up == "z" else mesh, root / item.source)

    def _key(self, template: RawFile, file: RawFile, frame: int) -> str:
        return mesh_key(template.sha256, file.sha256, frame, self.dataset.up)


def _frames(root: Path, file: RawFile) -> int:
    with (root / file.path).open("rb") as stream:
        return frame_count(stream.read(HEADER), file.size, root / file.path)


def _read(root: Path, file: RawFile) -> Animation:
    path = root / file.path
    data = read_bytes(path)
    if not file.is_of(data):
        raise MeshError("has changed since the raw files were listed", path, "run the workflow again")
    return parse_anime(data, path)


def open_source(dataset: DeformingThings4D, raw: Path) -> AnimationSource:
    """See `repose.raw.source.open_source`; `raw` is the inventory."""
    return AnimationSource(*located(raw), dataset)


def _is_of(animal: str, path: str) -> bool:
    found = ENTRY.match(path)
    return found is not None and found[1] == animal
