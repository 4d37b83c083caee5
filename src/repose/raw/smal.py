"""SMAL: 41 toy animals in 600 poses, as 3D-CoreNet (Song et al., NeurIPS 2021) released them.

Files are named `toy_{i}_{p}.ply`, toy i in pose p. Which axis points up in them, and their unit, is not verified: the
SMAL model itself has z up, and released weights expect the coordinates as they stand, which is the default here.
"""

from pathlib import Path

from repose.config.datasets import Smal
from repose.raw.files import FileSource, as_is, check_grid, grid_wanted, open_files, z_up
from repose.raw.inventory import Inventory, Wanted
from repose.raw.registry import ENTRIES

ENTRY = ENTRIES["smal"]


def place(path: str) -> tuple[int, int] | None:
    """Toy and pose of an animal."""
    found = ENTRY.match(path)
    return (int(found[1]), int(found[2])) if found else None


def wanted(dataset: Smal) -> Wanted:
    """Which files the config asks for."""
    return grid_wanted(dataset, place)


def check(dataset: Smal, inventory: Inventory) -> None:
    """Refuse an incomplete set."""
    check_grid(dataset, place, inventory)


def open_source(dataset: Smal, raw: Path) -> FileSource:
    """See `repose.raw.source.open_source`; `raw` is the inventory."""
    return open_files(ENTRY, raw, place, z_up if dataset.up == "z" else as_is, dataset.up)
