"""Read whole files of text that others made, up to a stated size."""

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from repose.errors import ReposeError

MAX_TEXT = 64 << 20
"""Bytes of a list or a description; parsed, they take up to 25 times that in memory."""


def read_bytes(path: Path, limit: int) -> bytes:
    """The content of a regular file of no more than `limit` bytes.

    Raises:
        ReposeError: it is missing, unreadable, too large, or a folder, pipe or device.
    """
    try:
        status = path.stat()
        # A pipe or a device would block, or never end.
        if not stat.S_ISREG(status.st_mode):
            raise ReposeError("not a regular file", path)
        if status.st_size > limit:
            raise ReposeError(f"{status.st_size} bytes is more than the limit of {limit}", path)
        return path.read_bytes()
    except FileNotFoundError:
        raise ReposeError("no such file", path) from None
    except OSError as error:
        raise ReposeError(f"cannot read: {error.strerror}", path) from None


def read_text(path: Path, limit: int = MAX_TEXT) -> str:
    """A text in UTF-8; raises as `read_bytes`, and where it is none."""
    try:
        return read_bytes(path, limit).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReposeError(f"not a text in UTF-8: byte {error.start}", path, "save it as UTF-8") from None


def read_json(path: Path, limit: int = MAX_TEXT) -> Any:
    """A JSON document; raises as `read_text`, and where it is none."""
    try:
        return json.loads(read_text(path, limit))
    except (ValueError, RecursionError) as error:
        raise ReposeError(f"not JSON: {error}", path, "the file is damaged") from None


@contextmanager
def foreign(
    where: object, what: str = "damaged", hint: str | None = None, kind: type[ReposeError] = ReposeError
) -> Iterator[None]:
    """Turn whatever a library raises on a damaged or hostile file into one line.

    Only reading belongs inside, nothing of ours that may go wrong by itself.

    Raises:
        ReposeError: of that `kind`, in place of any other error.
    """
    try:
        yield
    except ReposeError:
        raise
    except Exception as error:
        raise kind(f"{what}: {str(error) or type(error).__name__}", where, hint) from error
