"""Datasets whose files the user supplies. Nothing slow is imported at the top: Snakemake reads it at every start."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from pydantic import Field

from repose.errors import ReposeError
from repose.raw.entry import RAW
from repose.raw.settings import Choice, Dataset, Grid, Protocol

if TYPE_CHECKING:
    from repose.raw.inventory import Inventory, RawFile

MOST_VERTICES = 20_000  # of a mesh whose number of vertices nobody knows beforehand


class Licensed(Dataset):
    """A dataset that stands under a licence, so that its user supplies the files."""

    is_licensed: ClassVar[bool] = True

    folder: str | None = Field(None, description="where its files or archives are; null: data/raw/{source}")

    @property
    def vertices(self) -> int:
        """Vertices of a mesh, at most; jobs ask for memory by it."""
        return self.entry.vertices or MOST_VERTICES

    def supplied_folder(self) -> Path:
        """Where its files or archives belong."""
        return Path(self.folder) if self.folder else RAW / self.source

    def raw_settings(self) -> dict[str, Any]:
        """Everything but what only the split follows from."""
        return self.model_dump(mode="json", exclude={"pairs", "protocols", "seed", "test_list"})

    def wanted(self, path: str) -> bool:
        """Whether a file belongs to what the configuration asks for, by its path in the folder or archive."""
        return self.entry.match(path) is not None

    def check(self, inventory: "Inventory") -> None:
        """Refuse files that do not make up what the configuration asks for; any number will do here.

        Args:
            inventory: the wanted files that were found; there is one at least.

        Raises:
            ReposeError: says what is missing or doubled.
        """

    def missing(self) -> ReposeError:
        """The one line that says what to get, from whom, and where to put it."""
        return ReposeError(
            f"{self.source} is not there: register at {self.entry.home} ({self.entry.licence}), "
            f"get {self.entry.get}, and put it in {self.supplied_folder()}/",
            hint="as downloaded, or unpacked; `repose raw --list` shows all datasets",
        )


class LicensedGrid(Licensed, Grid):
    """A licensed dataset of identities that are all in the same poses, numbered as its owners number them."""

    identities: Choice = Field(description="identities")
    poses: Choice = Field(description="poses")
    test_list: str | None = Field(
        None,
        description="file of published rows `identity pose truth`, for protocol unseen; null: rows are drawn",
    )

    def raw_settings(self) -> dict[str, Any]:
        """See `Licensed`; identities and poses are those of all parts together, whatever part they go to."""
        chosen = {"identities": self.identities.all(), "poses": self.poses.all()}
        return super().raw_settings() | chosen

    def split_settings(self, part: str) -> dict[str, Any]:
        """See `Grid`; and which published rows take the place of drawn ones."""
        listed = {"test_list": self.test_list} if part == "unseen" and self.test_list else {}
        return super().split_settings(part) | listed


class Single(Licensed):
    """A licensed dataset of one identity, with a mesh of its own: nothing is transferred within it."""

    has_truth: ClassVar[bool] = False
    protocols: ClassVar[tuple[Protocol, ...]] = ()

    def split_settings(self, part: str) -> dict[str, Any]:
        """No triples can be drawn."""
        return {}


D = TypeVar("D", bound=Licensed)


@dataclass(frozen=True)
class Listed(Generic[D]):
    """The raw files of a dataset, where worker processes elsewhere find them too: what its source reads.

    Attributes:
        inventory: the list that the stage `raw` made.
        root: the folder of the files.
        dataset: says what is read of them, and how.
    """

    inventory: Path
    root: Path
    dataset: D

    @classmethod
    def of(cls, raw: Path, dataset: D) -> Self:
        """Those of the inventory `raw`.

        Raises:
            ReposeError: it is missing, torn, or something else.
        """
        from repose.raw.inventory import Inventory

        return cls(raw.absolute(), Inventory.read(raw).root.absolute(), dataset)

    @property
    def licence(self) -> str:
        """The dataset's licence."""
        return self.dataset.entry.licence

    @property
    def files(self) -> "tuple[RawFile, ...]":
        """All of them, sorted by path."""
        from repose.raw.inventory import Inventory

        return Inventory.read(self.inventory).files
