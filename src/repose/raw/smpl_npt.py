"""SMPL-NPT: SMPL bodies of 30 identities in 800 poses (Wang et al., CVPR 2020).

Files are named `{i}_{p}.obj` as NPT's generator writes them, or `id{i}_{p}.obj` as 3D-CoreNet and MAPConNet read
them; both stand for identity i in pose p. Metres, y up. How the bodies were drawn is in `repose.raw.smpl.sampling`.
That identities 16-29 follow the rule of the published generator, which makes 0-15, is not verified.
"""

from pathlib import Path

from repose.config.datasets import SmplNpt
from repose.raw.files import FileSource, check_grid, grid_wanted, open_files
from repose.raw.inventory import Inventory, Wanted
from repose.raw.registry import ENTRIES

ENTRY = ENTRIES["smpl-npt"]


def place(path: str) -> tuple[int, int] | None:
    """Identity and pose of a body."""
    found = ENTRY.match(path)
    return (int(found[1]), int(found[2])) if found else None


def wanted(dataset: SmplNpt) -> Wanted:
    """Which files the config asks for."""
    return grid_wanted(dataset, place)


def check(dataset: SmplNpt, inventory: Inventory) -> None:
    """Refuse an incomplete set."""
    check_grid(dataset, place, inventory)


def open_source(dataset: SmplNpt, raw: Path) -> FileSource:
    """See `repose.raw.source.open_source`; `raw` is the inventory."""
    return open_files(ENTRY, raw, place)
