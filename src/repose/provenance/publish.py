"""Atomic publishing: build beside the target, flush, rename, so that the target is either old or new."""

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
_SWEPT: set[Path] = set()  # folders that were already swept for the present artefact
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of Linux, fcntl.h and fs.h


@contextmanager
def publish(target: Path, keep: bool = False) -> Iterator[Path]:
    """Yield a private path beside `target`, which becomes `target` if the block succeeds.

    The block creates a file or a directory at the yielded path. On any error, Ctrl-C included,
    the private path is removed and `target` stays as it was. Data and directory entries are
    flushed before the rename, so that a crash leaves the old artefact or the new one.

    Args:
        target: where the artefact belongs.
        keep: for a directory named by its content: if another writer was first, its directory stays.
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
            return  # the private name now belongs to the old artefact, which is removed with it
        # POSIX cannot rename a directory over a full one. Between the two renames the artefact is absent.
        doomed = private.with_name(private.name + ".old")
        os.rename(target, doomed)
        os.rename(private, target)
        shutil.rmtree(doomed)
    else:
        os.replace(private, target)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step if kernel and file system support it; return False if not."""
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return swap is not None and not swap(
        _AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE
    )


def dead_writer(name: str) -> bool | None:
    """Return whether a private file of this host has a dead writer; None: the name is not that of such a file."""
    found = PRIVATE.fullmatch(name)
    if not found or f".{socket.gethostname()}.{found['pid']}." not in name:
        return None
    return not is_alive(int(found["pid"]))


def sweep_again() -> None:
    """Sweep each folder again at the next write, for files that killed writers have left since."""
    _SWEPT.clear()


def _sweep(folder: Path) -> None:
    """Remove what killed writers left in a folder, once per artefact, which may have thousands of files there."""
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
