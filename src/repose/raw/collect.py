"""Stage `raw` of a licensed dataset: what its user brought → a checked inventory of raw files."""

from importlib import import_module
from pathlib import Path

from repose.config.datasets import Licensed
from repose.provenance.code import stage_code
from repose.provenance.manifest import Recorder, manifest_path
from repose.raw.inventory import digest_of, gather
from repose.raw.registry import ENTRIES, RAW


def folder_of(dataset: Licensed) -> Path:
    """Where a dataset's files or archives belong."""
    return Path(dataset.folder) if dataset.folder else RAW / dataset.source


def brought(dataset: Licensed, out: Path) -> str:
    """A hash of what a user brought, for the rule that makes `out`; touching a file does not change it."""
    return digest_of(ENTRIES[dataset.source], folder_of(dataset), _memory(out))


def run(dataset: Licensed, out: Path) -> None:
    """Unpack what comes in archives into `unpacked/` beside `out`, and write the inventory `out` (JSON)."""
    module = import_module(dataset.module)
    recorder = Recorder("raw", stage_code("raw-files", dataset.module), dataset.raw_settings())
    manifest = manifest_path(out)
    recorder.own(manifest)
    manifest.unlink(missing_ok=True)
    entry = ENTRIES[dataset.source]
    inventory = gather(
        entry, folder_of(dataset), out.parent / "unpacked", module.wanted(dataset), _memory(out)
    )
    module.check(dataset, inventory)
    inventory.write(out)
    total = sum(file.size for file in inventory.files)
    recorder.seal(manifest, [out], {"files": len(inventory.files), "bytes": total, "licence": entry.licence})


def _memory(out: Path) -> Path:
    return out.parent / ".raw-hashes.json"
