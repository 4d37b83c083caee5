"""Stage `raw` of a licensed dataset: what its user brought → a checked inventory of raw files."""

from importlib import import_module
from pathlib import Path

from repose import specs
from repose.config.datasets import Licensed
from repose.provenance.making import making
from repose.raw.inventory import digest_of, gather
from repose.raw.registry import ENTRIES, RAW


def folder_of(dataset: Licensed) -> Path:
    """Where a dataset's files or archives belong."""
    return Path(dataset.folder) if dataset.folder else RAW / dataset.source


def supplied(dataset: Licensed, out: Path) -> str:
    """A hash of what a user supplied, for the rule that makes `out`; touching a file does not change it."""
    return digest_of(ENTRIES[dataset.source], folder_of(dataset), _memory(out))


def run(dataset: Licensed, out: Path) -> None:
    """Unpack what comes in archives into `unpacked/` beside `out`, and write the inventory `out` (JSON)."""
    module = import_module(dataset.module)
    entry, unpacked = ENTRIES[dataset.source], out.parent / "unpacked"
    with making(specs.raw(dataset), out, {}, keep=0) as new:
        new.begin()
        inventory = gather(entry, folder_of(dataset), unpacked, module.wanted(dataset), _memory(out))
        module.check(dataset, inventory)
        inventory.write(out)
        new.has(out)
        total = sum(file.size for file in inventory.files)
        new.describe = {"files": len(inventory.files), "bytes": total, "licence": entry.licence}


def _memory(out: Path) -> Path:
    return out.parent / ".raw-hashes.json"
