"""Datasets whose files the user supplies. Nothing slow is imported at the top, as Snakemake reads it at every start."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from pydantic import Field

from repose.errors import ReposeError
from repose.raw.entry import RAW
from repose.raw.settings import Choice, Dataset, Grid, Protocol

if TYPE_CHECKING:
    from repose.raw.inventory import Inventory, RawFile

MOST_VERTICES = 20_000  # for meshes whose number of vertices is not known beforehand


class Licensed(Dataset):
    """A licensed dataset, whose files the user supplies."""

    is_licensed: ClassVar[bool] = True

    folder: str | None = Field(None, description="where its files or archives are; null: data/raw/{source}")

    @property
    def vertices(self) -> int:
        """The largest number of vertices of a mesh; jobs request memory by it."""
        return self.entry.vertices or MOST_VERTICES

    def supplied_folder(self) -> Path:
        """The folder of its files or archives."""
        return Path(self.folder) if self.folder else RAW / self.source

    def raw_settings(self) -> dict[str, Any]:
        """Return all settings except those that only the split depends on."""
        return self.model_dump(mode="json", exclude={"pairs", "protocols", "seed", "test_list"})

    def wanted(self, path: str) -> bool:
        """Return whether a file is used by the configuration, by its path in the folder or archive."""
        return self.entry.match(path) is not None

    def check(self, inventory: "Inventory") -> None:
        """Refuse files that do not make up what the configuration asks for; by default any number of files is accepted.

        Args:
            inventory: the used files that were found, at least one.

        Raises:
            ReposeError: files are missing or duplicated; the message says which.
        """

    def missing(self) -> ReposeError:
        """Return an error of one line that says what to get, from whom, and where to put it."""
        return ReposeError(
            f"{self.source} is not there: register at {self.entry.home} ({self.entry.licence}), "
            f"get {self.entry.get}, and put it in {self.supplied_folder()}/",
            hint="as downloaded, or unpacked; `repose raw --list` shows all datasets",
        )


class LicensedGrid(Licensed, Grid):
    """A licensed dataset whose identities all have the same poses, with the owners' numbers."""

    identities: Choice = Field(description="identities")
    poses: Choice = Field(description="poses")
    test_list: str | None = Field(
        None,
        description=(
            "file of published rows `identity pose truth`, for protocol unseen; null: rows are drawn"
        ),
    )

    def raw_settings(self) -> dict[str, Any]:
        """Return the settings of `Licensed`, with the identities and poses of all parts together."""
        chosen = {"identities": self.identities.all(), "poses": self.poses.all()}
        return super().raw_settings() | chosen

    def split_settings(self, part: str) -> dict[str, Any]:
        """Return the settings of `Grid`, and the published rows that replace drawn ones."""
        listed = {"test_list": self.test_list} if part == "unseen" and self.test_list else {}
        return super().split_settings(part) | listed


class Single(Licensed):
    """A licensed dataset of one identity with its own mesh; there are no transfers within it."""

    has_truth: ClassVar[bool] = False
    protocols: ClassVar[tuple[Protocol, ...]] = ()

    def split_settings(self, part: str) -> dict[str, Any]:
        """Return the settings of a split that has no triples."""
        return {}


D = TypeVar("D", bound=Licensed)


@dataclass(frozen=True)
class Listed(Generic[D]):
    """The raw files of a dataset, readable from worker processes, as the input of its source.

    Attributes:
        inventory: the inventory that the stage `raw` made.
        root: folder of the files.
        dataset: states what is read from them, and how.
    """

    inventory: Path
    root: Path
    dataset: D

    @classmethod
    def of(cls, raw: Path, dataset: D) -> Self:
        """Return the files of the inventory `raw`.

        Raises:
            ReposeError: the file is missing, incomplete, or no inventory.
        """
        from repose.raw.inventory import Inventory

        return cls(raw.absolute(), Inventory.read(raw).root.absolute(), dataset)

    @property
    def licence(self) -> str:
        """The dataset's licence."""
        return self.dataset.entry.licence

    @property
    def files(self) -> "tuple[RawFile, ...]":
        """All files, sorted by path."""
        from repose.raw.inventory import Inventory

        return Inventory.read(self.inventory).files
