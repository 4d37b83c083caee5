"""What every dataset offers to the stage `convert`: a list of raw meshes, and the meshes themselves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from repose.mesh.mesh import Mesh


@dataclass(frozen=True)
class Item:
    """One raw mesh.

    Attributes:
        identity, pose: numbers from 0; together they name the mesh.
        key: hex digest of all that the mesh follows from but code: raw bytes or rows of a recipe, and options.
            Equal keys mean equal meshes.
        source: where it comes from, for people: a path inside the raw data, or the name of a generator.
    """

    identity: int
    pose: int
    key: str
    source: str


class Source(Protocol):
    """The raw meshes of one dataset.

    It travels to worker processes, so that it can be pickled, and holds paths and settings in place of data.
    """

    @property
    def licence(self) -> str:
        """The licence under which the meshes stand, as the catalogue has it."""

    def items(self) -> list[Item]:
        """All meshes, sorted by identity and pose, no pair twice.

        Called once for a conversion, in its main process: it may read every raw byte once to hash it, but parses
        nothing.

        Raises:
            ReposeError: the raw data are missing, incomplete, or not those of the dataset.
        """

    def meshes(self, items: Sequence[Item]) -> "Iterator[Mesh]":
        """The meshes of some items, in their order, one at a time.

        They are in metres, y up, in the dataset's own order of vertices; their coordinates are float32 values.

        Raises:
            MeshError: the next mesh cannot be read; those after it can be asked for again.
        """
