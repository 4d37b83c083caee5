"""Mixamo: characters in T-pose, which NPR (NeurIPS 2024) transfers poses to.

A character is one .obj file with its own mesh and is therefore a dataset of its own: identity 0 in pose 0. Exports are
in centimetres or any other unit; here the box of the T-pose is centred at 0 and its longest side is 1. That the
published files were normalised in this way is inferred from their names (`…_normalized`), not verified.
"""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from repose.errors import ReposeError
from repose.raw.entry import Entry, named
from repose.raw.file_per_mesh import MeshFiles
from repose.raw.licensed import Single

if TYPE_CHECKING:
    from repose.mesh.mesh import Mesh
    from repose.raw.inventory import Inventory


class Mixamo(Single, MeshFiles):
    """A Mixamo character in T-pose: a target of transfers, without poses of its own."""

    entry: ClassVar[Entry] = Entry(
        what="characters in T-pose, each with its own mesh: targets without poses (as in NPR, NeurIPS 2024)",
        licence="Adobe's terms of use: no redistribution",
        home="https://www.mixamo.com",
        get="a character in T-pose, exported as .obj",
        files=named(r"(?P<character>[^/]+)\.obj"),
        naming="{character}.obj; one dataset of the config per character",
        split="none",
        doubts="how the authors exported and scaled theirs",
        units="longest side of the box = 1",
    )

    source: Literal["mixamo"]
    character: str = Field(pattern=r"^[^/]+$", description="the file's name without .obj")

    def place(self, path: str) -> tuple[int, int] | None:
        """Return identity 0 and pose 0 for the character's file, None for all others."""
        found = self.entry.match(path)
        return (0, 0) if found and found["character"] == self.character else None

    def wanted(self, path: str) -> bool:
        """Return whether a file is that of the character."""
        return self.place(path) is not None

    def check(self, inventory: "Inventory") -> None:
        """Refuse two files of one name, in different folders.

        Raises:
            ReposeError: there are two such files; the message names both.
        """
        if len(inventory.files) > 1:
            both = " and ".join(file.path for file in inventory.files[:2])
            raise ReposeError(f"{both} are both {self.character}", inventory.root, "keep one")

    def finish(self, mesh: "Mesh") -> "Mesh":
        """Return the mesh with its box centred at 0 and a longest side of 1."""
        from repose.mesh.mesh import Mesh
        from repose.raw.files import in_unit_box

        return Mesh(in_unit_box(mesh.vertices, mesh.vertices), mesh.faces)
