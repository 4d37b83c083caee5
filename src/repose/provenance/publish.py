"""Old or new, never torn: build beside the target, flush, rename."""

import os
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def publish(target: Path) -> Iterator[Path]:
    """Yield a private path beside `target`; when the block ends well, it becomes `target`.

    The block creates a file or a directory at the yielded path. On any error, Ctrl-C included,
    the private path is removed and `target` stays as it was. Data and directory entries are
    flushed before the rename, so that a crash leaves the old artefact or the new one.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target)
    # Host and process in the name: a later run can tell a leftover from a writer still at work.
    private = target.with_name(
        f".{target.name}.{socket.gethostname()}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp"
    )
    try:
        yield private
        _flush(private)
        _swap(private, target)
        _fsync(target.parent)
    finally:
        _remove(private)


def write_text(target: Path, text: str) -> None:
    """Publish a small text file."""
    with publish(target) as private:
        private.write_text(text, encoding="utf-8")


def _swap(private: Path, target: Path) -> None:
    if private.is_dir() and target.is_dir():
        # POSIX cannot rename a directory over a full one. Between the two renames the artefact is absent.
        doomed = private.with_name(private.name + ".old")
        os.rename(target, doomed)
        os.rename(private, target)
        shutil.rmtree(doomed)
    else:
        os.replace(private, target)


def _sweep(target: Path) -> None:
    """Remove what killed writers of this artefact left behind on this host."""
    prefix = f".{target.name}.{socket.gethostname()}."
    for leftover in target.parent.iterdir():
        if leftover.name.startswith(prefix) and (".tmp" in leftover.name):
            pid = leftover.name[len(prefix) :].split(".")[0]
            if pid.isdigit() and not _alive(int(pid)):
                _remove(leftover)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


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
