"""The bytes of mesh files: only of regular files of a bounded size, and written whole or not at all."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from repose.errors import MeshError
from repose.mesh.mesh import Mesh
from repose.reading import read_bytes as read_bounded

MAX_BYTES = 256 * 2**20  # 500 times a full-size body; readers need up to 10 times the file


def read_bytes(path: Path) -> bytes:
    """The content of a regular file of no more than `MAX_BYTES`.

    Raises:
        MeshError: it is missing, unreadable, too large, or a folder, pipe or device.
    """
    return read_bounded(path, MAX_BYTES, MeshError, "check the path, or convert the dataset again")


def write_bytes(path: Path, content: bytes) -> None:
    """Put a whole file in its place, or leave it as it was.

    Raises:
        OSError: the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def parsed(parser: Callable[[bytes, object], Mesh], data: bytes, path: Path) -> Mesh:
    """The mesh that a reader finds in the content of a file, checked.

    Raises:
        MeshError: it is malformed, has values that are not finite or indices out of range, or is too large for memory.
    """
    try:
        return parser(data, path).validated(path)
    except MemoryError as error:
        raise MeshError("not enough memory to read this mesh", path) from error
