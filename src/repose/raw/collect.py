"""Stage `raw` of a licensed dataset: from the user's files to a checked inventory of raw files."""

from pathlib import Path

from repose import specs
from repose.provenance.making import making
from repose.raw.inventory import digest_of, gather
from repose.raw.licensed import Licensed


def supplied(dataset: Licensed, out: Path) -> str:
    """Return a hash of the user's files, for the rule that makes `out`; touching a file does not change it.

    Raises:
        ReposeError: a file cannot be read.
    """
    return digest_of(dataset, _memory(out))


def run(dataset: Licensed, out: Path) -> None:
    """Unpack archives into `unpacked/` beside `out`, and write the inventory `out` (JSON).

    Raises:
        ReposeError: files are missing, incomplete or duplicated, or an archive is refused.
    """
    with making(specs.raw(dataset), out, {}, keep=0) as new:
        new.begin()
        inventory = gather(dataset, out.parent / "unpacked", _memory(out))
        dataset.check(inventory)
        inventory.write(out)
        new.has(out)
        total = sum(file.size for file in inventory.files)
        new.describe = {
            "files": len(inventory.files),
            "bytes": total,
            "licence": dataset.entry.licence,
        }


def _memory(out: Path) -> Path:
    return out.parent / ".raw-hashes.json"
