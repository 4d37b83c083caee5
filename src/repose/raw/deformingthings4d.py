"""DeformingThings4D: animated animals, as NPR (NeurIPS 2024) uses them (Li et al., ICCV 2021).

Each animal has its own mesh and is therefore a dataset of its own: one identity in many poses. Pose 0 is frame 0 of the
alphabetically first motion, NPR's template. The others are frames drawn without replacement from all frames 0, 3, 6, …
of all motions, in the order of motion and frame; that NPR chose its 300 targets in this way is not verified (its
configs hold frames of 26 to 66 motions per animal, every number divisible by 3). One similarity transform, from the
template's box, is applied to all poses, because scaling each frame by itself would hide changes of size between poses.
The files' up axis is taken to be z, because the authors' renderer passes coordinates to Blender unchanged; this is not
documented.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, PositiveInt

from repose.errors import MeshError, ReposeError
from repose.raw.entry import Entry, named
from repose.raw.keys import mesh_key
from repose.raw.licensed import Listed, Single
from repose.raw.source import Item

if TYPE_CHECKING:
    from repose.mesh.mesh import Mesh
    from repose.raw.anime import Animation
    from repose.raw.inventory import RawFile


class DeformingThings4D(Single):
    """An animal of DeformingThings4D: its template and frames of its motions."""

    entry: ClassVar[Entry] = Entry(
        what="animated animals, each with its own mesh (Li et al., ICCV 2021)",
        licence="non-commercial, by form",
        home="https://github.com/rabbityl/DeformingThings4D",
        get="the folder animals/",
        files=named(r"(?P<animal>[^/_]+)_(?P<motion>[^/]+)/(?P=animal)_(?P=motion)\.anime"),
        expected=1772,
        naming="animals/{animal}_{motion}/{animal}_{motion}.anime; pose 0 is frame 0 of the first motion",
        split="none: one identity; NPR trains on one and transfers to others",
        doubts="up axis; how NPR chose its frames",
        units="longest side of the template's box = 1",
        up="z, turned to y",
    )

    source: Literal["deformingthings4d"]
    animal: str = Field(
        pattern=r"^[^/_]+$", description="the part of the file names before the first _, as bear3EP"
    )
    frames: PositiveInt = Field(
        300, description=("how many frames are drawn besides the template; 300 in NPR")
    )
    stride: PositiveInt = Field(3, description="frames 0, stride, 2 · stride, … are drawn from")
    seed: int = Field(0, ge=0, description="which frames are drawn follows from it")
    up: Literal["y", "z"] = Field("z", description="which axis of the files points up")

    def raw_settings(self) -> dict[str, Any]:
        """The animal and the frames that are used."""
        return super().raw_settings() | {"seed": self.seed}

    def wanted(self, path: str) -> bool:
        """Return whether a file is an animation of the animal."""
        found = self.entry.match(path)
        return found is not None and found["animal"] == self.animal

    def open_source(self, raw: Path) -> "AnimationSource":
        """Open the template and the drawn frames of the inventory `raw`; see `repose.raw.settings.Dataset`."""
        return AnimationSource.of(raw, self)


class AnimationSource(Listed[DeformingThings4D]):
    """The template and the drawn frames of one animal; see `repose.raw.source.Source`.

    The first file, ordered by path, contains the template.
    """

    def items(self) -> list[Item]:
        """Return the template as pose 0, then the drawn frames."""
        import numpy as np

        template, *_ = files = self.files
        frames = [
            (file, frame) for file in files for frame in self._taken(file) if (file, frame) != (template, 0)
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
        up = self.dataset.up
        return [
            Item(0, pose, mesh_key(template.sha256, file.sha256, frame, up), f"{file.path}:{frame}")
            for pose, (file, frame) in enumerate(picked)
        ]

    def meshes(self, items: Sequence[Item]) -> Iterator["Mesh"]:
        """Read frames; a file is read once for consecutive frames.

        Raises:
            MeshError: a file is damaged, has changed, or has another mesh than the first motion.
        """
        import numpy as np

        from repose.mesh.mesh import Mesh
        from repose.raw.files import checked, in_unit_box, z_up

        files = {file.path: file for file in self.files}
        first = self._read(self.files[0])
        for path, group in groupby(items, key=lambda item: item.source.rpartition(":")[0]):
            animation = self._read(files[path])
            for item in group:
                where = self.root / item.source
                if not np.array_equal(animation.faces, first.faces):
                    raise MeshError("has another mesh than the first motion", where, "leave this motion out")
                frame = animation.frame(int(item.source.rpartition(":")[2])).astype(np.float64)
                mesh = Mesh(in_unit_box(frame, first.first), animation.faces)
                yield checked(z_up(mesh) if self.dataset.up == "z" else mesh, self.dataset, where)

    def _taken(self, file: "RawFile") -> range:
        """Return the frames of a file that may be drawn."""
        from repose.raw.anime import HEADER, counts

        path = self.root / file.path
        with path.open("rb") as stream:
            frames, _, _ = counts(stream.read(HEADER), file.size, path)
        return range(0, frames, self.dataset.stride)

    def _read(self, file: "RawFile") -> "Animation":
        from repose.mesh.formats.files import read_bytes
        from repose.raw.anime import parse_anime

        path = self.root / file.path
        data = read_bytes(path)
        if not file.is_of(data):
            raise MeshError("has changed since the raw files were listed", path, "run the workflow again")
        return parse_anime(data, path)
