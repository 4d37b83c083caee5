"""A cache of converted meshes and images outside the published folder, so that a new conversion only redoes changes.

Snakemake deletes the outputs of a rule before it runs the rule again. Therefore converted files are kept in a folder
that no rule declares, under the key of what they were made from, and the published folder holds hard links to them.

A journal has a line for each: its measures, and the size, time and hash of its files. Files are flushed to disk before
their lines, so that a kill or a power cut only costs the work in progress.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from repose.cluster import Cluster, spread
from repose.progress import Meter
from repose.provenance.listing import blake3_of, blake3_of_file
from repose.provenance.publish import publish, write_text

JOURNAL = "journal.jsonl"
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EXDEV)


@dataclass(frozen=True)
class File:
    """A file of the cache when it was written: size, time and hash."""

    bytes: int
    mtime_ns: int
    blake3: str


@dataclass(frozen=True)
class Converted:
    """One converted mesh or image.

    Attributes:
        key: key of what it was made from; see `cache_key`.
        name: mesh or image id at the time of conversion.
        measures: measures that depend on it alone, such as columns of the catalogue.
        files: its files by suffix.
        topology: for a mesh, the digest of vertex count and faces.
    """

    key: str
    name: str
    measures: dict[str, Any]
    files: dict[str, File]
    topology: str = ""


@dataclass(frozen=True)
class Unreadable:
    """A raw mesh that could not be read, and the reason."""

    name: str
    reason: str


Convert = Callable[[Sequence[Any]], Sequence[Converted | Unreadable]]
"""Converts some items in their order; it pickles."""


def cache_key(item_key: str, code: str) -> str:
    """Return the key of what some code makes from an item with that key."""
    return hashlib.sha256(f"{item_key} {code}".encode()).hexdigest()[:32]


def write_converted(
    folder: Path,
    key: str,
    name: str,
    contents: Mapping[str, bytes],
    measures: dict[str, Any],
    topology: str = "",
) -> Converted:
    """Write the files of one mesh or image, by suffix, into the folder of a cache."""
    files = {}
    for suffix, content in contents.items():
        path = folder / f"{key}{suffix}"
        with publish(path) as private:
            private.write_bytes(content)
        files[suffix] = File(len(content), path.stat().st_mtime_ns, blake3_of(content))
    return Converted(key, name, measures, files, topology)


class Cache:
    """The cache folder of one dataset, which one process at a time may use."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._known = {record.key: record for record in _read(folder / JOURNAL)}

    @property
    def names(self) -> set[str]:
        """The ids of everything converted so far."""
        return {record.name for record in self._known.values()}

    def find_all(self, keys: Iterable[str]) -> dict[str, Converted]:
        """Return what was converted under some keys, if its files are unchanged."""
        return {key: record for key in keys if (record := self._find(key))}

    def _find(self, key: str) -> Converted | None:
        if (record := self._known.get(key)) is None:
            return None
        files = {suffix: self._unchanged(f"{key}{suffix}", file) for suffix, file in record.files.items()}
        found = {suffix: file for suffix, file in files.items() if file}
        return replace(record, files=found) if len(found) == len(files) else None

    def _unchanged(self, name: str, file: File) -> File | None:
        try:
            status = (self.folder / name).stat()
        except FileNotFoundError:
            return None
        if status.st_size != file.bytes:
            return None
        if status.st_mtime_ns == file.mtime_ns:
            return file
        # It was touched, or edited through the published link, so the content decides.
        if blake3_of_file(self.folder / name) != file.blake3:
            return None
        return replace(file, mtime_ns=status.st_mtime_ns)

    def convert(
        self, tasks: Iterable[Sequence[Any]], total: int, convert: Convert, cluster: Cluster
    ) -> tuple[dict[str, Converted], dict[str, str]]:
        """Convert what is missing, on a cluster, and record each result as it arrives.

        Args:
            tasks: the missing items, in batches.
            total: number of missing items.
            convert: converts one batch and leaves the files in the folder.

        Returns:
            The converted items by key, and the reasons why items could not be read, by name.
        """
        made: dict[str, Converted] = {}
        reasons: dict[str, str] = {}
        if not total:
            return made, reasons
        done = 0
        with Meter("convert", total) as meter:
            for _, found in spread(cluster, convert, tasks):
                good = [record for record in found if isinstance(record, Converted)]
                self._add(good)
                made |= {record.key: record for record in good}
                reasons |= {bad.name: bad.reason for bad in found if isinstance(bad, Unreadable)}
                done += len(found)
                meter.to(done)
        return made, reasons

    def _add(self, records: Iterable[Converted]) -> None:
        """Record finished items on lines of their own, even after a line that was cut short by a kill."""
        with (self.folder / JOURNAL).open("a", encoding="utf-8") as file:
            file.writelines(["\n", *map(_line, records)])

    def link(self, record: Converted, target: Path) -> dict[str, str]:
        """Make hard links named `target` plus suffix, or copies if the file system has no links.

        Returns:
            The BLAKE3 that each link should have, by its name.
        """
        names = {suffix: f"{target.name}{suffix}" for suffix in record.files}
        for suffix, name in names.items():
            source, link = self.folder / f"{record.key}{suffix}", target.with_name(name)
            try:
                os.link(source, link)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                shutil.copyfile(source, link)
        return {name: record.files[suffix].blake3 for suffix, name in names.items()}

    def keep_only(self, records: Collection[Converted]) -> None:
        """Forget all other records, and remove their files and the remains of killed writers."""
        write_text(self.folder / JOURNAL, "".join(map(_line, records)))
        stay = {f"{record.key}{suffix}" for record in records for suffix in record.files} | {JOURNAL}
        for entry in self.folder.iterdir():
            if entry.name not in stay:
                entry.unlink()


def _line(record: Converted) -> str:
    return json.dumps(asdict(record), sort_keys=True) + "\n"


def _read(journal: Path) -> Iterator[Converted]:
    if not journal.exists():
        return
    for line in journal.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            record = json.loads(line)
            files = {suffix: File(**file) for suffix, file in record.pop("files").items()}
            yield Converted(**record, files=files)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            # the line is blank, cut short by a kill, or of another version, so the item is converted again
            continue
