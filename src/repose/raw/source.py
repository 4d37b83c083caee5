"""The interface of every dataset of meshes to the stage `convert`: a list of raw meshes, and the meshes themselves."""

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
        key: hex digest of everything that the mesh depends on, except code: raw bytes or rows of a recipe, and options.
            Equal keys mean equal meshes.
        source: its origin, for people to read: a path inside the raw data, or the name of a generator.
    """

    identity: int
    pose: int
    key: str
    source: str


class Source(Protocol):
    """The raw meshes of one dataset.

    It is sent to worker processes, so it can be pickled, and holds paths and settings but no data.
    """

    @property
    def licence(self) -> str:
        """The licence of the meshes, as stated in the catalogue."""

    def items(self) -> list[Item]:
        """Return all meshes, sorted by identity and pose, without duplicates.

        It is called once per conversion, in the main process. It may read every raw byte once to hash it, but parses
        nothing.

        Raises:
            ReposeError: the raw data are missing, incomplete, or not those of the dataset.
        """

    def meshes(self, items: Sequence[Item]) -> "Iterator[Mesh]":
        """Yield the meshes of some items, in their order, one at a time.

        They are in metres, y up, in the dataset's own order of vertices; their coordinates are float32 values.

        Raises:
            MeshError: the next mesh cannot be read; those after it can be asked for again.
        """
