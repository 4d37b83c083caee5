"""Old or new, never torn: build in a sibling temporary path, flush to disk, rename."""

import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from repose.errors import ReposeError

TEMPORARY = ".tmp"
DAY_S = 86400.0


@contextmanager
def directory(final: Path) -> Iterator[Path]:
    """Yield an empty temporary directory that becomes ``final`` when the block succeeds.

    If another writer published ``final`` meanwhile, theirs stays: names are content keys, so both are equal.

    Raises:
        ReposeError: the disk is full or the place cannot be written.
    """
    holding = final.parent / TEMPORARY
    temporary = holding / f"{final.name}.{uuid.uuid4().hex}"
    try:
        holding.mkdir(parents=True, exist_ok=True)
        _sweep(holding)
        temporary.mkdir()
        yield temporary
        _flush_tree(temporary)
        with suppress(FileExistsError):
            _rename(temporary, final)
        _flush(final.parent)
    except OSError as error:
        raise ReposeError(f"cannot write: {error.strerror or error}", final, "is the disk full?") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def file(final: Path, content: bytes) -> None:
    """Replace the file ``final`` by ``content``, at once.

    Raises:
        ReposeError: the disk is full or the place cannot be written.
    """
    temporary = final.parent / TEMPORARY / f"{final.name}.{uuid.uuid4().hex}"
    try:
        temporary.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        _flush(temporary)
        os.replace(temporary, final)
        _flush(final.parent)
    except OSError as error:
        raise ReposeError(f"cannot write: {error.strerror or error}", final, "is the disk full?") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock while a file is read, changed and replaced; a crash releases it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _rename(temporary: Path, final: Path) -> None:
    try:
        os.rename(temporary, final)
    except OSError:
        if final.is_dir():
            raise FileExistsError(final) from None
        raise


def _sweep(holding: Path) -> None:
    """Remove what killed writers left; a living writer is never a day old."""
    now = time.time()
    for entry in holding.iterdir():
        with suppress(OSError):
            if now - entry.stat().st_mtime > DAY_S:
                shutil.rmtree(entry, ignore_errors=True)


def _flush_tree(root: Path) -> None:
    for folder, _, names in os.walk(root):
        for name in names:
            _flush(Path(folder) / name)
        _flush(Path(folder))


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
