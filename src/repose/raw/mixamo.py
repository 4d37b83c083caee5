"""Mixamo: characters in T-pose, which NPR (NeurIPS 2024) transfers poses to.

A character is one .obj file and has a mesh of its own, so that it makes a dataset of its own: identity 0 in pose 0.
Exports come in centimetres or any other unit; here the box of the T-pose is centred at 0 and its longest side is 1.
That the published files were normalised like that is inferred from their names (`…_normalized`), not verified.
"""

from functools import partial
from pathlib import Path

from repose.config.datasets import Mixamo
from repose.errors import ReposeError
from repose.mesh.mesh import Mesh
from repose.raw.box import unit_box
from repose.raw.files import FileSource, open_files
from repose.raw.inventory import Inventory, Wanted
from repose.raw.registry import ENTRIES

ENTRY = ENTRIES["mixamo"]


def place(path: str) -> tuple[int, int] | None:
    """Every character is identity 0 in pose 0 of its dataset."""
    return (0, 0) if ENTRY.match(path) else None


def wanted(dataset: Mixamo) -> Wanted:
    """The character's file."""
    return partial(_is_of, dataset.character)


def check(dataset: Mixamo, inventory: Inventory) -> None:
    """Refuse two files of one name."""
    if len(inventory.files) > 1:
        both = " and ".join(file.path for file in inventory.files[:2])
        raise ReposeError(f"{both} are both {dataset.character}", inventory.root, "keep one")


def normalised(mesh: Mesh) -> Mesh:
    """Centred, with a longest side of 1."""
    return Mesh(unit_box(mesh.vertices)(mesh.vertices), mesh.faces)


def open_source(dataset: Mixamo, raw: Path) -> FileSource:
    """See `repose.raw.source.open_source`; `raw` is the inventory."""
    return open_files(ENTRY, raw, place, normalised)


def _is_of(character: str, path: str) -> bool:
    found = ENTRY.match(path)
    return found is not None and found[1] == character
