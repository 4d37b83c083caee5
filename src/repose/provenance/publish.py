"""Old or new, never torn: build beside the target, flush, rename."""

import ctypes
import errno
import fcntl
import os
import re
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from repose.provenance.process import is_alive

PRIVATE = re.compile(r"\..+\.(?P<pid>\d+)\.[0-9a-f]{8}\.tmp(\.old)?")  # names of unfinished files and folders
_SWEPT: set[Path] = set()  # folders that were swept for the artefact at hand
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of Linux, fcntl.h and fs.h


@contextmanager
def publish(target: Path, keep: bool = False) -> Iterator[Path]:
    """Yield a private path beside `target`; when the block ends well, it becomes `target`.

    The block creates a file or a directory at the yielded path. On any error, Ctrl-C included,
    the private path is removed and `target` stays as it was. Data and directory entries are
    flushed before the rename, so that a crash leaves the old artefact or the new one.

    Args:
        target: where the artefact belongs.
        keep: for a directory named by its content: if another writer was first, theirs stays.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target.parent)
    private = _private(target)
    try:
        yield private
        _flush(private)
        _swap(private, target, keep)
        _fsync(target.parent)
    finally:
        _remove(private)


def write_text(target: Path, text: str) -> None:
    """Publish a small text file."""
    with publish(target) as private:
        private.write_text(text, encoding="utf-8")


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold the lock file `path` while something is read, changed and replaced; a crash releases it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _private(target: Path) -> Path:
    """Return a new name beside `target` that tells a later run whether its writer is still at work."""
    return target.with_name(f".{target.name}.{socket.gethostname()}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp")


def _swap(private: Path, target: Path, keep: bool) -> None:
    if keep:
        try:
            os.rename(private, target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
    elif private.is_dir() and target.is_dir():
        if _exchange(private, target):
            return  # the old artefact has the private name now, and goes with it
        # POSIX cannot rename a directory over a full one. Between the two renames the artefact is absent.
        doomed = private.with_name(private.name + ".old")
        os.rename(target, doomed)
        os.rename(private, target)
        shutil.rmtree(doomed)
    else:
        os.replace(private, target)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step, where kernel and file system can; False where not."""
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return swap is not None and not swap(
        _AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE
    )


def dead_writer(name: str) -> bool | None:
    """Whether a name is that of a private file of this host whose writer is dead; None: it is no private file of it."""
    found = PRIVATE.fullmatch(name)
    if not found or f".{socket.gethostname()}.{found['pid']}." not in name:
        return None
    return not is_alive(int(found["pid"]))


def sweep_again() -> None:
    """Let the next writing to each folder look for what killed writers have left there since this process did."""
    _SWEPT.clear()


def _sweep(folder: Path) -> None:
    """Remove what killed writers left behind in a folder; once, as an artefact may have thousands of files there."""
    if folder in _SWEPT:
        return
    _SWEPT.add(folder)
    for leftover in folder.iterdir():
        if dead_writer(leftover.name):
            remove_leftover(leftover)


def remove_leftover(path: Path) -> None:
    """Remove what a killed writer left behind, unless another process does so at the same time."""
    private = _private(path.with_name("leftover"))
    with suppress(FileNotFoundError):  # of two processes one gets it
        path.rename(private)
        _remove(private)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    if path.is_dir():
        for child in path.iterdir():
            _flush(child)
    _fsync(path)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
