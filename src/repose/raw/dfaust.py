"""DFAUST: registered scan sequences of 10 people at 60 frames per second (Bogo et al., CVPR 2017).

`registrations_m.hdf5` and `registrations_f.hdf5` hold an array `{subject}_{motion}` (6890, 3, frames) per sequence, and
`faces` (13776, 3). Every `stride`-th frame is a mesh: identity = the subject's number, pose = 10000 · motion + frame,
with the motions in the order of `MOTIONS`. A frame is a pose of one person only: equal pose numbers of two people are
not the same pose, so transfers between people have no truth. Files are taken to be in metres with y up, as in other
people's code. Which frames IEP-GAN used is not published.
"""

from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from pydantic import Field, PositiveInt

from repose.errors import MeshError, ReposeError
from repose.raw.entry import Entry, named
from repose.raw.keys import mesh_key
from repose.raw.licensed import Licensed, Listed
from repose.raw.settings import PARTS, Choice, Paired
from repose.raw.source import Item
from repose.reading import foreign
from repose.section import Section

if TYPE_CHECKING:
    import h5py
    import numpy as np

    from repose.mesh.mesh import Mesh
    from repose.raw.inventory import RawFile

MAX_BYTES = 2 << 30  # memory of one sequence
MAX_RATIO = 20  # ratio of a sequence to its file, whatever its compression
FRAMES_PER_MOTION = 10_000  # more than the longest sequence has
Motion = Literal[
    "hips", "knees", "light_hopping_stiff", "light_hopping_loose", "jiggle_on_toes", "one_leg_loose", "shake_arms",
    "chicken_wings", "punching", "shake_shoulders", "shake_hips", "jumping_jacks", "one_leg_jump", "running_on_spot",
]  # fmt: skip
MOTIONS: tuple[Motion, ...] = get_args(Motion)


class Motions(Section):
    """The motions in each part of the split."""

    train: list[Motion] = Field(list(MOTIONS[:10]), min_length=1, description="seen in training")
    val: list[Motion] = Field(
        list(MOTIONS[10:12]), min_length=1, description=("used to choose the checkpoint")
    )
    test: list[Motion] = Field(list(MOTIONS[12:]), min_length=1, description=("only used in the tables"))

    def pose_ranges(self) -> dict[str, list[tuple[int, int]]]:
        """Return the first and last pose number of each motion, by part."""
        numbers = {part: [MOTIONS.index(motion) for motion in getattr(self, part)] for part in PARTS}
        return {
            part: [(FRAMES_PER_MOTION * k, FRAMES_PER_MOTION * (k + 1) - 1) for k in sorted(motions)]
            for part, motions in numbers.items()
        }


class Dfaust(Licensed, Paired):
    """DFAUST sequences. Each pose is of one person only, so triples have no truth."""

    entry: ClassVar[Entry] = Entry(
        what="registered scan sequences at 60 Hz: 10 people, up to 14 motions each (Bogo et al., CVPR 2017)",
        licence="research only",
        home="https://dfaust.is.tue.mpg.de",
        get="registrations_m.hdf5 and registrations_f.hdf5",
        files=named(r"registrations_[mf]\.hdf5"),
        expected=2,
        naming="array {subject}_{motion} (vertices, 3, frames): identity = subject, pose = 10000 · motion + frame",
        split="subjects and motions; a pose is of one person only, so that no transfer has a truth",
        doubts="no published choice of frames; up axis and unit from users' code",
        vertices=6890,
        faces=13_776,
    )
    has_truth: ClassVar[bool] = False

    source: Literal["dfaust"]
    identities: Choice = Field(
        Choice(train="50002,50004,50007,50009,50020,50021", val="50022,50025", test="50026-50027"),
        description="people, by their numbers",
    )
    motions: Motions = Field(Motions(), description="sequences")
    stride: PositiveInt = Field(20, description=("every how many frames one is taken; 60 are a second"))

    def raw_settings(self) -> dict[str, Any]:
        """The people, motions and frames that are used, in any part."""
        chosen = {"identities": self.identities.all(), "motions": sorted(self.chosen_motions())}
        return super().raw_settings() | chosen

    def chosen_motions(self) -> set[str]:
        """The motions of all parts."""
        return {*self.motions.train, *self.motions.val, *self.motions.test}

    def split_settings(self, part: str) -> dict[str, Any]:
        """Return the settings of `Paired`, and the pose numbers of every part as ranges, which may have gaps."""
        return super().split_settings(part) | {"pose_ranges": self.motions.pose_ranges()}

    def pose_parts(self, available: Set[int]) -> dict[str, list[int]]:
        """Return the available poses in the ranges of each part."""
        return {
            part: sorted(p for p in available if any(first <= p <= last for first, last in ranges))
            for part, ranges in self.motions.pose_ranges().items()
        }

    def open_source(self, raw: Path) -> "SequenceSource":
        """Open the frames of the inventory `raw`; see `repose.raw.settings.Dataset`."""
        return SequenceSource.of(raw, self)


class SequenceSource(Listed[Dfaust]):
    """Frames of the chosen sequences; see `repose.raw.source.Source`."""

    def items(self) -> list[Item]:
        """Return every `stride`-th frame of the chosen subjects and motions."""
        subjects, motions = self.dataset.identities.all(), self.dataset.chosen_motions()
        items = {}
        for file in self.files:
            for name, frames in _sequences(self.root / file.path):
                subject, _, motion = name.partition("_")
                if subject.isdecimal() and int(subject) in subjects and motion in motions:
                    for frame in range(0, frames, self.dataset.stride):
                        item = _item(file, int(subject), motion, frame)
                        items[item.identity, item.pose] = item
        if absent := set(subjects) - {identity for identity, _ in items}:
            hint = f"get {self.dataset.entry.get}"
            raise ReposeError(f"no sequence of subject {min(absent)}", self.root, hint)
        return [items[place] for place in sorted(items)]

    def meshes(self, items: Sequence[Item]) -> Iterator["Mesh"]:
        """Read frames; a sequence is read once for consecutive frames.

        Raises:
            MeshError: a sequence is missing or damaged, or does not have the vertices and faces of SMPL.
        """
        from repose.mesh.mesh import Mesh
        from repose.raw.files import checked

        root = self.root
        for (path, name), group in groupby(items, key=lambda item: tuple(item.source.rsplit(":", 2)[:2])):
            # Frames are the last axis, so reading one costs nearly as much as reading all.
            vertices, faces = _read(root / path, name)
            for item in group:
                frame = int(item.source.rpartition(":")[2])
                yield checked(Mesh(vertices[:, :, frame], faces), self.dataset, root / item.source)


def read_sequence(path: Path, name: str | None) -> "tuple[np.ndarray, np.ndarray]":
    """Return all frames (T, 6890, 3) float32 of one sequence, metres, and its faces.

    Args:
        path: a file of DFAUST.
        name: name such as 50002_hips; None: the only sequence of the file.

    Raises:
        MeshError: the file is damaged, there is no such sequence, or there are several and none was named.
    """
    import numpy as np

    there = [found for found, _ in _sequences(path)]
    if name is None and len(there) == 1:
        name = there[0]
    if name not in there:
        hint = f"say --sequence with one of {', '.join(there[:20])}"
        raise MeshError(f"has no sequence {name!r}" if name else f"has {len(there)} sequences", path, hint)
    frames, faces = _read(path, name)
    return np.ascontiguousarray(np.moveaxis(frames.astype(np.float32), 2, 0)), faces


def _item(file: "RawFile", subject: int, motion: str, frame: int) -> Item:
    name = f"{subject}_{motion}"
    pose = MOTIONS.index(motion) * FRAMES_PER_MOTION + frame
    return Item(subject, pose, mesh_key(file.sha256, name, frame), f"{file.path}:{name}:{frame}")


@contextmanager
def _opened(path: Path) -> Iterator["h5py.File"]:
    import h5py

    what, hint = "not an HDF5 file, or damaged", "download it again"
    with foreign(path, what, hint, MeshError), h5py.File(path, "r") as opened:
        yield opened


def _read(path: Path, name: str) -> "tuple[np.ndarray, np.ndarray]":
    """Return all frames (V, 3, T) of one sequence of a file, as stored, and the faces (F, 3) int64."""
    with _opened(path) as opened:
        return _sequence(opened, name, path)[:], _link(opened, "faces", path)[:].astype("int64")


def _sequences(path: Path) -> list[tuple[str, int]]:
    """Return the names of the sequences of a file, and the number of frames of each."""
    with _opened(path) as opened:
        return [(name, _sequence(opened, name, path).shape[2]) for name in opened if name != "faces"]


def _link(opened: "h5py.File", name: str, where: Path) -> "h5py.Dataset":
    """Return an array that lies in this very file, because HDF5 can also point to other files."""
    import h5py

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
    limit = min(MAX_BYTES, MAX_RATIO * where.stat().st_size)  # a few bytes can expand to any number of zeros
    if found.nbytes > limit:
        raise MeshError(f"{name!r} has {found.nbytes} bytes, more than the limit of {limit}", where)
    return found


def _sequence(opened: "h5py.File", name: str, where: Path) -> "h5py.Dataset":
    found = _link(opened, name, where)
    if found.ndim != 3 or found.shape[1] != 3 or not 0 < found.shape[2] <= FRAMES_PER_MOTION:
        raise MeshError(f"{name!r} has shape {found.shape}, not (vertices, 3, frames)", where)
    return found
