"""The raw files of a licensed dataset: found, unpacked from archives, counted and hashed."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from repose.errors import ReposeError
from repose.progress import track
from repose.provenance.publish import publish, write_text
from repose.raw.archive import is_archive, unpack
from repose.raw.hashes import Hashes
from repose.raw.licensed import Licensed
from repose.reading import foreign, read_json

FORMAT = "repose.raw-files/1"
MAX_BYTES = 256 << 20  # enough for a million files


@dataclass(frozen=True)
class RawFile:
    """A raw file: its path inside the inventory's root, its size in bytes, its sha256."""

    path: str
    size: int
    sha256: str

    def is_of(self, data: bytes) -> bool:
        """Return whether a file's content is still the listed one."""
        return hashlib.sha256(data).hexdigest() == self.sha256


@dataclass(frozen=True)
class Inventory:
    """The raw files of a dataset that are used, sorted by path."""

    root: Path
    files: tuple[RawFile, ...]

    def write(self, path: Path) -> None:
        """Publish the inventory as JSON."""
        files = [[f.path, f.size, f.sha256] for f in self.files]
        write_text(
            path, json.dumps({"format": FORMAT, "root": str(self.root), "files": files}, indent=0) + "\n"
        )

    @classmethod
    def read(cls, path: Path) -> "Inventory":
        """Read an inventory that `write` wrote.

        Raises:
            ReposeError: the file is missing, incomplete, or no inventory.
        """
        if not path.is_file():
            raise ReposeError("no inventory of raw files", path, "make it with the raw stage")
        content = read_json(path, MAX_BYTES)
        with foreign(path, "not an inventory of raw files", "delete it and make it again"):
            if content["format"] != FORMAT:
                raise ValueError(f"its format is {content['format']!r}")
            files = tuple(
                RawFile(str(name), int(size), str(sha256)) for name, size, sha256 in content["files"]
            )
            return cls(Path(content["root"]), files)


def gather(dataset: Licensed, unpacked: Path, memory: Path | None = None) -> Inventory:
    """List and hash the files of a dataset that are used, in any folders or in archives.

    Args:
        dataset: states where the files are, and which of them are used.
        unpacked: folder to unpack archives into; it is recreated, and stays empty if there is nothing to unpack.
        memory: file that stores the hashes; None: they are not stored.

    Raises:
        ReposeError: the dataset is missing, or an archive is refused.
    """
    folder = dataset.supplied_folder()
    found = [name for name in files_in(folder) if dataset.wanted(name)]
    archives = [] if found else archives_in(folder)
    with publish(unpacked) as private:
        private.mkdir()
        for path in archives:
            found += [f"{path.name}/{name}" for name in unpack(path, private / path.name, dataset.wanted)]
    if not found:
        raise _nothing(dataset)
    hashes = Hashes(unpacked) if archives else Hashes(folder, memory)
    files = [
        RawFile(name, hashes.size(name), hashes.sha256(name))
        for name in track(sorted(found), len(found), "raw")
    ]
    hashes.keep()
    return Inventory(hashes.folder, tuple(files))


def digest_of(dataset: Licensed, memory: Path) -> str:
    """Return a hash, of 16 hex digits, of the names and contents of the archives and files that a user supplied.

    If all of them were removed, the last hash is returned, because results made from them are still valid.

    Raises:
        ReposeError: a file cannot be read, or is not a regular file.
    """
    folder, match = dataset.supplied_folder(), dataset.entry.match
    hashes, digest = Hashes(folder, memory), hashlib.sha256()
    names = {path.name for path in archives_in(folder)} | {name for name in files_in(folder) if match(name)}
    supplied = {name: hashes.sha256(name) for name in names} or hashes.remembered()
    for name, sha256 in sorted(supplied.items()):
        digest.update(f"{name}\0{sha256}\n".encode())
    hashes.forget_but(set(supplied))
    hashes.keep()
    return digest.hexdigest()[:16]


def _nothing(dataset: Licensed) -> ReposeError:
    folder = dataset.supplied_folder()
    others = [name for name in files_in(folder) if dataset.entry.match(name)]
    if not others:
        return dataset.missing()
    what = (
        f"no file that the config asks for among {len(others)} files of {dataset.source}, such as {others[0]}"
    )
    return ReposeError(what, folder, "choose what is there, or supply the rest")


def files_in(folder: Path) -> Iterator[str]:
    """Yield the paths of all regular files below a folder, relative to it; links to folders are followed."""
    seen = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        status = os.stat(place)
        if (status.st_dev, status.st_ino) in seen:  # a link to a folder above it
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders.sort()
        for name in sorted(names):
            yield (Path(place) / name).relative_to(folder).as_posix()


def archives_in(folder: Path) -> list[Path]:
    """Return the archives directly in a folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() and is_archive(path))
