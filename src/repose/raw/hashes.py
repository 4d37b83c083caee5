"""Hashes of raw files, remembered by size and times, so that each file is read once and a touch is not a change."""

import hashlib
import json
import os
import stat
import time
from collections.abc import Set
from pathlib import Path

from repose.errors import ReposeError
from repose.provenance.publish import write_text
from repose.reading import read_json

FORMAT = "repose.raw-hashes/1"
SETTLED_NS = 2_000_000_000  # a file that was written more recently may change again with the same time stamp


class Hashes:
    """sha256 of files below a folder, kept in a small file between runs.

    Args:
        folder: where the files are.
        memory: the file that stores the hashes; None: they are not stored.
    """

    def __init__(self, folder: Path, memory: Path | None = None):
        self.folder, self.memory = folder, memory
        self._known: dict[str, list] = _read(memory, folder) if memory else {}
        self._kept = dict(self._known)

    def sha256(self, name: str) -> str:
        """Return the hash of a file, which is read only if its size or a time differs from the remembered one.

        Raises:
            ReposeError: the file is not regular, or cannot be read.
        """
        path = self.folder / name
        status = _status(path)
        now = [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        known = self._known.get(name)
        if known is not None and known[:3] == now:
            return known[3]
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if time.time_ns() - status.st_ctime_ns > SETTLED_NS:
            self._known[name] = [*now, found]
        return found

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        return _status(self.folder / name).st_size

    def remembered(self) -> dict[str, str]:
        """The known hashes by name."""
        return {name: sha256 for name, (*_, sha256) in self._known.items()}

    def forget_but(self, names: Set[str]) -> None:
        """Forget files that no longer exist."""
        self._known = {name: known for name, known in self._known.items() if name in names}

    def keep(self) -> None:
        """Store the hashes for the next run."""
        if self.memory and self._known != self._kept:
            content = {"format": FORMAT, "folder": os.path.abspath(self.folder), "files": self._known}
            write_text(self.memory, json.dumps(content))


def _status(path: Path) -> os.stat_result:
    try:
        status = path.stat()
    except OSError as error:
        raise ReposeError(f"cannot read: {error.strerror}", path) from None
    if not stat.S_ISREG(status.st_mode):
        raise ReposeError("not a regular file", path, "remove it from the raw data")
    return status


def _read(memory: Path, folder: Path) -> dict[str, list]:
    """Return what was remembered of this folder; nothing if it is lost, because it can be recomputed."""
    try:
        content = read_json(memory)
        if content["format"] == FORMAT and content["folder"] == os.path.abspath(folder):
            files = content["files"].items()
            return {name: [*map(int, numbers), str(sha256)] for name, (*numbers, sha256) in files}
    except (ReposeError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return {}
