"""DFAUST: registered scan sequences of 10 people at 60 frames a second (Bogo et al., CVPR 2017).

`registrations_m.hdf5` and `registrations_f.hdf5` hold an array `{subject}_{motion}` (6890, 3, frames) per sequence, and
`faces` (13776, 3). Every `stride`-th frame is a mesh: identity = the subject's number, pose = 10000 · motion + frame,
with the motions in the order of `MOTIONS`. A frame is a pose of one person only: equal pose numbers of two people are
not the same pose, so that no transfer between people has a truth. Metres and y up, as users' code takes them; which
frames IEP-GAN used is not published.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import h5py
import numpy as np

from repose.config.datasets import FRAMES_PER_MOTION, MOTIONS, Dfaust
from repose.errors import MeshError, ReposeError
from repose.mesh.mesh import Mesh
from repose.raw.files import as_float32, check_counts, mesh_key
from repose.raw.inventory import Inventory, RawFile, Wanted
from repose.raw.registry import ENTRIES
from repose.raw.source import Item

ENTRY = ENTRIES["dfaust"]
MAX_BYTES = 4 << 30  # of one sequence in memory


def wanted(dataset: Dfaust) -> Wanted:
    """Both files."""
    return _is_registration


def check(dataset: Dfaust, inventory: Inventory) -> None:
    """What the files lack shows when their sequences are listed."""


def _is_registration(path: str) -> bool:
    return ENTRY.match(path) is not None


@dataclass(frozen=True)
class SequenceSource:
    """Frames of the chosen sequences; see `repose.raw.source.Source`."""

    inventory: Path
    dataset: Dfaust

    @property
    def licence(self) -> str:
        """The dataset's licence."""
        return ENTRY.licence

    def items(self) -> list[Item]:
        """Every `stride`-th frame of the chosen subjects and motions."""
        listed = Inventory.read(self.inventory)
        subjects, motions = self.dataset.identities.all(), self.dataset.chosen_motions()
        items = {}
        for file in listed.files:
            with _opened(listed.root / file.path) as opened:
                for name in opened:
                    subject, _, motion = name.partition("_")
                    if subject.isdecimal() and int(subject) in subjects and motion in motions:
                        frames = _sequence(opened, name, listed.root / file.path).shape[2]
                        for frame in range(0, frames, self.dataset.stride):
                            item = self._item(file, int(subject), motion, frame)
                            items[item.identity, item.pose] = item
        if absent := set(subjects) - {identity for identity, _ in items}:
            raise ReposeError(f"no sequence of subject {min(absent)}", listed.root, f"get {ENTRY.get}")
        return [items[place] for place in sorted(items)]

    def meshes(self, items: Sequence[Item]) -> Iterator[Mesh]:
        """Read frames; a sequence is read once for the frames that follow one another."""
        root = Inventory.read(self.inventory).root
        for (path, name), group in groupby(items, key=lambda item: tuple(item.source.rsplit(":", 2)[:2])):
            with _opened(root / path) as opened:
                # Frames are the last axis: reading one costs nearly as much as reading all.
                vertices = _sequence(opened, name, root / path)[:]
                faces = _link(opened, "faces", root / path)[:]
            for item in group:
                frame = int(item.source.rpartition(":")[2])
                mesh = as_float32(Mesh(vertices[:, :, frame], faces.astype(np.int64)), root / item.source)
                check_counts(mesh, ENTRY, root / item.source)
                yield mesh

    def _item(self, file: RawFile, subject: int, motion: str, frame: int) -> Item:
        name = f"{subject}_{motion}"
        pose = MOTIONS.index(motion) * FRAMES_PER_MOTION + frame
        return Item(subject, pose, mesh_key(file.sha256, name, frame), f"{file.path}:{name}:{frame}")


def _opened(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise MeshError(f"not an HDF5 file, or damaged: {error}", path, "download it again") from None


def _link(opened: h5py.File, name: str, where: Path) -> h5py.Dataset:
    """An array that lies in this very file: HDF5 can also point to other files."""
    if not isinstance(opened.get(name, getlink=True), h5py.HardLink):
        raise MeshError(f"{name!r} is missing, or a link", where, "download it again")
    found = opened[name]
    if (
        not isinstance(found, h5py.Dataset)
        or found.external
        or found.is_virtual
        or found.dtype.kind not in "fiu"
    ):
        raise MeshError(f"{name!r} is not a plain array of numbers", where, "download it again")
    if found.nbytes > MAX_BYTES:
        raise MeshError(f"{name!r} has {found.nbytes} bytes, more than the limit of {MAX_BYTES}", where)
    return found


def _sequence(opened: h5py.File, name: str, where: Path) -> h5py.Dataset:
    found = _link(opened, name, where)
    if found.ndim != 3 or found.shape[1] != 3 or not 0 < found.shape[2] <= FRAMES_PER_MOTION:
        raise MeshError(f"{name!r} has shape {found.shape}, not (vertices, 3, frames)", where)
    return found


def open_source(dataset: Dfaust, raw: Path) -> SequenceSource:
    """See `repose.raw.source.open_source`; `raw` is the inventory."""
    return SequenceSource(raw, dataset)
