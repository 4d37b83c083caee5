"""Digests of files and of folders.

The digest of a file is its sha256, which people print and compare. A folder has a list beside it, with one line for the
BLAKE3 of each of its files; the digest of the folder is the sha256 of that list. So a reader of a part of a folder
hashes only the list and that part. BLAKE3 is fast on any processor, while sha256 needs special instructions.

The list of `x.zarr` is `x.zarr.b3`, in the form of the program b3sum: `cd x.zarr && b3sum --check ../x.zarr.b3`.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from blake3 import blake3

from repose.errors import ReposeError
from repose.reading import read_bytes

END = ".b3"
EMPTY = "0" * 64  # takes the place of the digest of an empty folder, which could otherwise be added unnoticed
MAX_LIST = 4 << 30  # bytes of a list of 30 million files
_UNHASHED = {".snakemake_timestamp"}  # snakemake writes it into directory outputs


class Fingerprint(NamedTuple):
    """The statements of a manifest on a file or folder, and for a folder the text of its list."""

    stated: dict[str, Any]
    listing: str | None = None


def list_path(folder: Path) -> Path:
    """Return the path of a folder's list: `a/b.zarr` → `a/b.zarr.b3`."""
    return folder.with_name(folder.name + END)


def fingerprint(path: Path, known: Mapping[str, str] | None = None) -> Fingerprint:
    """Return size and sha256 of a file; for a folder the total size of its files and the sha256 of their list.

    Args:
        path: the file or folder.
        known: BLAKE3 of files of the folder by name, recorded when they were written, so that they need not be read.

    Raises:
        ReposeError: there is a link, pipe or device, or a name that a list cannot contain, or a known file is missing.
    """
    if not path.is_dir():
        size = _size_of(path)
        with path.open("rb") as stream:
            return Fingerprint({"bytes": size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()})
    lines, total, left = [], 0, dict(known or {})
    for name, size in files_in(path):
        digest = left.pop(name, "") or (EMPTY if name.endswith("/") else blake3_of_file(path / name))
        lines.append(f"{digest}  {name}\n")
        total += size
    if left:
        raise ReposeError("a file that was written is missing", path / min(left))
    text = "".join(lines)
    stated = {"bytes": total, "sha256": hashlib.sha256(text.encode()).hexdigest(), "list": path.name + END}
    return Fingerprint(stated, text)


def files_in(folder: str | Path, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Yield name and size of every file below a folder, in a fixed order; an empty folder's name ends in `/`.

    Args:
        folder: the folder to walk.
        prefix: prefix of all names, such as that of a subfolder.

    Raises:
        ReposeError: there is a link, pipe or device, or a name that a list cannot contain.
    """
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    if prefix and not entries:
        yield prefix, 0
    for entry in entries:
        if entry.is_symlink():
            raise ReposeError("an artefact holds no links", entry.path, "put the file itself there")
        if not entry.name.isprintable() or "\\" in entry.name:
            raise ReposeError(f"{entry.name!r} is no usable name", folder, "give the file another name")
        if entry.is_dir():
            yield from files_in(entry.path, f"{prefix}{entry.name}/")
        elif not entry.is_file():
            raise ReposeError(
                "an artefact holds no pipes and devices", entry.path, "put the file itself there"
            )
        elif entry.name not in _UNHASHED:
            yield prefix + entry.name, entry.stat().st_size


def check_file(manifest: Path, name: str, expected: Mapping[str, Any], hashed: bool = True) -> None:
    """Refuse a file or folder of an artefact that is missing or differs from what the manifest states.

    Args:
        manifest: manifest of the artefact.
        name: name of the file or folder.
        expected: the statements of the manifest on it.
        hashed: if False, only sizes are compared, and for a folder the names of its files.
    """
    artefact, hint = manifest.parent / name, f"remove {manifest} and run again"
    if artefact.is_symlink():
        raise ReposeError(f"{name} is a link, not a file", where=artefact, hint=hint)
    if not artefact.exists():
        raise ReposeError(
            f"{name} is missing but its manifest {manifest.name} is there", where=artefact, hint=hint
        )
    if artefact.is_dir() and "list" not in expected:
        raise ReposeError(f"{name} was made before folders had lists", artefact, "run the workflow again")
    listed = entries_of(check_list(manifest, name, expected)) if "list" in expected else {}
    if hashed:
        matches = fingerprint(artefact).stated == expected
    else:
        sizes = dict(files_in(artefact)) if artefact.is_dir() else {}
        size = sum(sizes.values()) if artefact.is_dir() else _size_of(artefact)
        matches = sizes.keys() == listed.keys() and size == expected["bytes"]
    if not matches:
        raise ReposeError(f"{name} does not match its manifest", where=artefact, hint=hint)


def check_list(manifest: Path, name: str, expected: Mapping[str, Any]) -> str:
    """Return the list of a folder's files if it is the one that the manifest states.

    Raises:
        ReposeError: the list is missing or differs.
    """
    path, hint = list_path(manifest.parent / name), f"remove {manifest} and run again"
    if path.is_symlink() or not path.is_file():
        raise ReposeError(f"{path.name}, the list of the files of {name}, is missing", path, hint)
    data = read_bytes(path, MAX_LIST)
    if hashlib.sha256(data).hexdigest() != expected["sha256"]:
        raise ReposeError(f"{path.name} does not match the manifest of {name}", path, hint)
    return data.decode(errors="replace")


def _size_of(path: Path) -> int:
    """Return the bytes of a regular file; reading any other kind of file may never end."""
    if path.exists() and not path.is_file():
        raise ReposeError("an artefact holds no pipes and devices", path, "put the file itself there")
    return path.stat().st_size


def entries_of(listing: str) -> dict[str, str]:
    """Return the BLAKE3 of each file of a list, by name."""
    return {line[66:]: line[:64] for line in listing.split("\n") if line}


def blake3_of(data: Any) -> str:
    """Return the BLAKE3 of bytes or of an array."""
    return blake3(data).hexdigest()


def blake3_of_file(path: Path) -> str:
    """Return the BLAKE3 of the content of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, blake3).hexdigest()  # type: ignore[arg-type]  # its stub has no names
