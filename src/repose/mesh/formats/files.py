"""Read and write the bytes of mesh files: only regular files of a bounded size, and written whole or not at all."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from repose.errors import MeshError
from repose.mesh.mesh import Mesh
from repose.reading import read_bytes as read_bounded

MAX_BYTES = 256 * 2**20  # 500 times a full-size body; readers need up to 10 times the size of the file


def read_bytes(path: Path) -> bytes:
    """Return the content of a regular file of at most `MAX_BYTES`.

    Raises:
        MeshError: the file is missing, unreadable, too large, or a folder, pipe or device.
    """
    return read_bounded(path, MAX_BYTES, MeshError, "check the path, or convert the dataset again")


def check_output(path: Path, *inputs: Path) -> None:
    """Refuse a file that cannot be written, or would replace an input, before there is something to write.

    Raises:
        MeshError: the path is that of a folder or an input, or lies below a file.
    """
    if path.is_dir():
        raise MeshError("is a folder", path, "say a file")
    if any(path.resolve() == other.resolve() for other in inputs):
        raise MeshError("is an input, which the result would replace", path, "say another file")
    there = next(folder for folder in path.absolute().parents if folder.exists())
    if not there.is_dir():
        raise MeshError(f"{there} is no folder", path, "say another place")


def check_picture(path: Path, *others: Path) -> None:
    """Refuse a picture that is no .png, cannot be written, or would replace another file of a command.

    Raises:
        MeshError: as `check_output`, or another suffix.
    """
    if path.suffix.lower() != ".png":
        raise MeshError(
            f"cannot write a picture as {path.suffix or 'a file without a suffix'}", path, "say a .png"
        )
    check_output(path, *others)


def write_bytes(path: Path, content: bytes) -> None:
    """Put a whole file in its place, or leave it as it was; its folder is made.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def parsed(parser: Callable[[bytes, object], Mesh], data: bytes, path: Path) -> Mesh:
    """Parse the content of a file and check the mesh.

    Raises:
        MeshError: the content is malformed, has values that are not finite or indices out of range, or is too large for
            memory.
    """
    try:
        return parser(data, path).validated(path)
    except MemoryError as error:
        raise MeshError("not enough memory to read this mesh", path) from error
