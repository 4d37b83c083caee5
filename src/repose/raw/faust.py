"""FAUST: registrations of 10 people in 10 poses, on SMPL's topology (Bogo et al., CVPR 2014).

`MPI-FAUST.zip` holds, among scans that are not read, `training/registrations/tr_reg_000.ply` … `tr_reg_099.ply`:
number n is identity n // 10 in pose n % 10. Metres, y up. The 200 test scans have no registrations.
"""

from pathlib import Path

from repose.config.datasets import Faust
from repose.raw.files import FileSource, check_grid, grid_wanted, open_files
from repose.raw.inventory import Inventory, Wanted
from repose.raw.registry import ENTRIES

ENTRY = ENTRIES["faust"]


def place(path: str) -> tuple[int, int] | None:
    """Identity and pose of a registration."""
    found = ENTRY.match(path)
    return divmod(int(found[1]), 10) if found else None


def wanted(dataset: Faust) -> Wanted:
    """Which files the config asks for."""
    return grid_wanted(dataset, place)


def check(dataset: Faust, inventory: Inventory) -> None:
    """Refuse an incomplete set."""
    check_grid(dataset, place, inventory)


def open_source(dataset: Faust, raw: Path) -> FileSource:
    """See `repose.raw.source.open_source`; `raw` is the inventory."""
    return open_files(ENTRY, raw, place)
