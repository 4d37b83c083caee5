"""Exactly one writer per artefact, even if jobs of a killed scheduler still run beside those of the next run.

A writer holds a lock (flock) on `results/.state/owners/<artefact>` for as long as it lives, and records its identity
there. A second writer waits; `repose recover` ends the first one if it is left over from a dead run.
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
    """Return the workflow's folder of results that contains `path`; None for a command run elsewhere by hand."""
    return next((p for p in path.absolute().parents if (p / MARK).is_file()), None)


def mark(results: Path) -> None:
    """Create a folder of results, with the mark that commands which delete or lock require."""
    if not (results / MARK).is_file():
        write_text(results / MARK, "Results of repose. Commands that delete or lock look for this file.\n")


def owners(results: Path) -> Path:
    """Return the folder of the owners' files of a folder of results."""
    return results / ".state" / "owners"


class Owner:
    """Holds an artefact until `release` or the end of the process, however it ends."""

    def __init__(self, path: Path, what: str):
        """Wait until no other process holds the file `path`, which represents `what`."""
        self.path = path
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._handle = self._acquire(what)
        self._handle.truncate(0)
        self._handle.write(json.dumps(asdict(Process.current())))
        self._handle.flush()

    def release(self) -> None:
        """Release the lock for the next writer."""
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
            # The previous holder removed the file when it was done, so the lock must be on the file that is there now.
            if _is_at(handle, self.path):
                return handle
            handle.close()


def _is_at(handle: IO[str], path: Path) -> bool:
    """Return whether an open file is still the one at a path, which another process may remove at any moment."""
    try:
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def try_lock(handle: IO[str]) -> bool:
    """Lock an open file unless another process has locked it, and return whether it succeeded."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(path: Path) -> bool:
    """Return whether the process that an owner's file names is alive, on any machine."""
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
    """Return the process recorded in an owner's file."""
    try:
        return Process(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
