"""Converted meshes that outlive the published folder, so that a later conversion costs only what changed.

Snakemake deletes the outputs of a rule before it runs the rule again. Therefore each converted mesh lives in a folder
that no rule declares, under the key of what it was made from, and the published folder holds hard links to it.
A journal has a line per mesh: what was measured of it, and the size, time and hash of its file. Files reach the disk
before their lines do, so that a kill or a power cut costs the meshes in work and nothing else.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from repose.provenance.publish import write_text

JOURNAL = "journal.jsonl"
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EXDEV)


@dataclass(frozen=True)
class Converted:
    """One converted mesh.

    Attributes:
        key: of what it was made from; see `cache_key`.
        name: mesh id it was made under.
        topology: digest of vertex count and faces.
        measures: columns of the catalogue that follow from the mesh alone.
        bytes, mtime_ns, sha256: of its .obj file.
    """

    key: str
    name: str
    topology: str
    measures: dict[str, Any]
    bytes: int
    mtime_ns: int
    sha256: str


def cache_key(item_key: str, code: str) -> str:
    """Name of the mesh that some code makes from an item of that key."""
    return hashlib.sha256(f"{item_key} {code}".encode()).hexdigest()[:32]


def obj_path(folder: Path, key: str) -> Path:
    """Where the .obj of a key lies."""
    return folder / f"{key}.obj"


def write_synced(path: Path, content: bytes) -> None:
    """Put a whole file on the disk, or none."""
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


class Cache:
    """The folder of one dataset, used by one process at a time."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._known = {record.key: record for record in _read(folder / JOURNAL)}

    @property
    def names(self) -> set[str]:
        """Mesh ids of everything converted so far."""
        return {record.name for record in self._known.values()}

    def find(self, key: str) -> Converted | None:
        """The mesh of a key, if it was converted and its file is what it was then."""
        record = self._known.get(key)
        if record is None:
            return None
        try:
            status = obj_path(self.folder, key).stat()
        except FileNotFoundError:
            return None
        if status.st_size != record.bytes:
            return None
        if status.st_mtime_ns == record.mtime_ns:
            return record
        # Touched, or edited through the published link: the content decides.
        with obj_path(self.folder, key).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != record.sha256:
                return None
        return replace(record, mtime_ns=status.st_mtime_ns)

    def add(self, records: Iterable[Converted]) -> None:
        """Write finished meshes down, on lines of their own even after a line that a kill has torn."""
        with (self.folder / JOURNAL).open("a", encoding="utf-8") as file:
            file.writelines(["\n", *map(_line, records)])

    def link(self, key: str, target: Path) -> None:
        """Make `target` a hard link to the mesh of a key, or a copy where the file system has no links."""
        try:
            os.link(obj_path(self.folder, key), target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            shutil.copyfile(obj_path(self.folder, key), target)

    def keep_only(self, records: Collection[Converted]) -> None:
        """Forget all other meshes, and remove their files and what killed writers left."""
        write_text(self.folder / JOURNAL, "".join(map(_line, records)))
        kept = {obj_path(self.folder, record.key).name for record in records} | {JOURNAL}
        for entry in self.folder.iterdir():
            if entry.name not in kept:
                entry.unlink()


def _line(record: Converted) -> str:
    return json.dumps(asdict(record), sort_keys=True) + "\n"


def _read(journal: Path) -> Iterator[Converted]:
    if not journal.exists():
        return
    for line in journal.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            yield Converted(**json.loads(line))
        except (ValueError, TypeError):
            continue  # blank, torn by a kill, or of another version: that mesh is converted again
