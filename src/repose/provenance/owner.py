"""One writer per artefact, also when a killed scheduler's jobs live on beside those of the next run.

A writer holds a lock (flock) on `results/.state/owners/<artefact>` for as long as it lives, and writes down there
who it is. A second writer waits; `repose recover` ends the first if it is a leftover of a dead run.
"""

import errno
import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO

from repose.provenance.process import Process
from repose.provenance.publish import write_text

MARK = ".repose-results"  # the workflow writes it into its folder of results before the first job
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


def results_folder(path: Path) -> Path | None:
    """The workflow's folder of results that `path` lies in; None for a command run by hand elsewhere."""
    return next((p for p in path.absolute().parents if (p / MARK).is_file()), None)


def mark(results: Path) -> None:
    """Make a folder of results, with the mark that commands which delete or lock ask for."""
    if not (results / MARK).is_file():
        write_text(results / MARK, "Results of repose. Commands that delete or lock look for this file.\n")


def owners(results: Path) -> Path:
    """Where a folder of results has the files of its owners."""
    return results / ".state" / "owners"


class Owner:
    """Holds an artefact until `release` or the end of the process, however it ends."""

    def __init__(self, path: Path, what: str):
        """Wait until no other process holds the file `path`, which stands for `what`."""
        self.path = path
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._handle = self._acquire(what)
        self._handle.truncate(0)
        self._handle.write(json.dumps(asdict(Process.current())))
        self._handle.flush()

    def release(self) -> None:
        """Let the next writer in."""
        self.path.unlink(missing_ok=True)
        self._handle.close()

    def _acquire(self, what: str) -> IO[str]:
        while True:
            handle = self.path.open("a+")
            try:
                if not try_lock(handle):
                    _say(
                        f"{what}: {holder(self.path) or 'another process'} writes it; waiting until it is done"
                        " (hint: `repose recover` ends leftovers of a killed run)"
                    )
                    fcntl.flock(handle, fcntl.LOCK_EX)
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise
                _say(f"{self.path.parent}: no locks on this file system; never start two runs on it at once")
                return handle
            # The one before us removed the file when it was done: ours must be the one that is there.
            if _is_at(handle, self.path):
                return handle
            handle.close()


def _is_at(handle: IO[str], path: Path) -> bool:
    """Whether an open file is the one that a path names now; another process may remove it at any moment."""
    try:
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def try_lock(handle: IO[str]) -> bool:
    """Lock an open file unless another process has it locked."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(path: Path) -> bool:
    """Whether the process that an owner's file names is alive, on whatever machine."""
    with _if_free(path) as free:
        return not free


def remove_if_free(path: Path) -> bool:
    """Remove an owner's file if the process that it names is dead, and return whether it is."""
    with _if_free(path) as free:
        if free:  # and locked, so that it is not the file of a writer that has come meanwhile
            path.unlink(missing_ok=True)
        return free


@contextmanager
def _if_free(path: Path) -> Iterator[bool]:
    """Lock an owner's file for the block, and tell whether that was possible, as it is of a file that is gone."""
    try:
        handle = path.open("r+")
    except FileNotFoundError:
        yield True
        return
    with handle:
        try:
            free = try_lock(handle)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            named = holder(path)
            free = named is not None and named.is_here and not named.alive
        yield free


def holder(path: Path) -> Process | None:
    """Who wrote itself down in an owner's file."""
    try:
        return Process(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
