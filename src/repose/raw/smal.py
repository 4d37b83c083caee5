"""SMAL: 41 toy animals in 600 poses, as 3D-CoreNet (Song et al., NeurIPS 2021) released them.

Files are named `toy_{i}_{p}.ply`, toy i in pose p. Their up axis and unit are not verified: the SMAL model itself has z
up, and released weights expect unchanged coordinates, which is the default here.
"""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from repose.raw.entry import Entry, named
from repose.raw.file_per_mesh import FilePerMesh
from repose.raw.settings import Choice, Pairs

if TYPE_CHECKING:
    from repose.mesh.mesh import Mesh

TRAINING_TOYS = "0-15,21,23-24,26-31,34-35,38-39"


class Smal(FilePerMesh):
    """SMAL animals: 41 toys in 600 poses; the last 20 published training poses are for validation."""

    entry: ClassVar[Entry] = Entry(
        what="SMAL animals, 41 toys in 600 poses (Song et al., NeurIPS 2021)",
        licence="SMAL model licence, non-commercial research",
        home="https://github.com/ChaoyueSong/3d-corenet",
        get="the animal data",
        files=named(r"toy_(?P<identity>\d{1,2})_(?P<pose>\d{1,3})\.ply"),
        expected=24_600,
        naming="toy_{i}_{p}.ply: identity i, pose p",
        split="29 and 12 toys as published; poses 0-379, 380-399 for validation, 400-599",
        doubts="up axis and unit of the released files; coordinates are kept, as released weights need them",
        up="as released",
        vertices=3889,
        faces=7774,
    )

    source: Literal["smal"]
    identities: Choice = Field(
        Choice(train=TRAINING_TOYS, val=TRAINING_TOYS, test="16-20,22,25,32-33,36-37,40"),
        description=("toys"),
    )
    poses: Choice = Field(Choice(train="0-379", val="380-399", test="400-599"), description=("poses"))
    pairs: Pairs = Field(Pairs(train=800_000, val=200, test=400), description="triples")
    up: Literal["y", "z"] = Field("y", description="which axis of the files points up; y keeps coordinates")

    def finish(self, mesh: "Mesh") -> "Mesh":
        """Return the mesh with y up, given one with `up` up."""
        from repose.raw.files import z_up

        return z_up(mesh) if self.up == "z" else mesh
