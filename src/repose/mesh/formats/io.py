"""Reading and writing mesh files. The format is chosen by the suffix."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from repose.errors import MeshError
from repose.mesh.formats.glb import parse_glb
from repose.mesh.formats.obj import format_obj, parse_obj
from repose.mesh.formats.off import parse_off
from repose.mesh.formats.ply import parse_ply
from repose.mesh.mesh import Mesh

MAX_BYTES = 256 * 2**20  # 500 times a full-size body; readers need up to 10 times the file
PARSERS = {".obj": parse_obj, ".ply": parse_ply, ".off": parse_off, ".glb": parse_glb}
SUFFIXES = ", ".join(PARSERS)


def read_mesh(path: str | Path) -> Mesh:
    """Read an .obj, .ply, .off or .glb file; vertices and faces keep the order and count of the file.

    Args:
        path: the file. Polygons become fans of triangles: (0, 1, 2), (0, 2, 3), ... of their corners.

    Returns:
        The mesh, checked: finite, face indices in range, not empty.

    Raises:
        MeshError: the file is missing, unreadable, too large or malformed; names file, line and a hint.
    """
    path = Path(path)
    _parser(path)
    return parse_mesh(read_bytes(path), path)


def parse_mesh(data: bytes, path: Path) -> Mesh:
    """Read the content of a mesh file, as `read_mesh` does; `path` says the format, and stands in errors."""
    parser = _parser(path)
    try:
        return parser(data, path).validated(path)
    except MemoryError as error:
        raise MeshError("not enough memory to read this mesh", path) from error


def _parser(path: Path) -> Callable[[bytes, object], Mesh]:
    parser = PARSERS.get(path.suffix.lower())
    if parser is None:
        raise MeshError(f"cannot read {path.suffix or 'a file without suffix'}", path, f"use {SUFFIXES}")
    return parser


def read_bytes(path: Path) -> bytes:
    """The content of a regular file of no more than `MAX_BYTES`.

    Raises:
        MeshError: it is missing, unreadable, too large, or a folder, pipe or device.
    """
    try:
        status = path.stat()
        # A pipe or a device would block, or never end.
        if not stat.S_ISREG(status.st_mode):
            raise MeshError("not a regular file", path)
        if status.st_size > MAX_BYTES:
            raise MeshError(f"{status.st_size} bytes is more than the limit of {MAX_BYTES}", path)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise MeshError("no such file", path, "check the path, or convert the dataset again") from error
    except (OSError, ValueError) as error:
        raise MeshError(f"cannot be read: {error}", path) from error


def write_obj(path: str | Path, mesh: Mesh) -> None:
    """Write a mesh as .obj: only `v x y z` and `f a b c` lines, vertices in order.

    The layout is the one that the loaders of NPT, 3D-CoreNet and MAPConNet read. Coordinates are rounded to
    float32 and written as the shortest decimal that gives that float32 back. The file appears whole or not
    at all.

    Raises:
        MeshError: the mesh is empty, or has values that are not finite, too large, or out of range.
        OSError: the file cannot be written.
    """
    _write(Path(path), format_obj(mesh.validated(path)))


def write_mesh(path: str | Path, mesh: Mesh) -> None:
    """Write a mesh as .obj, .ply, .off or .glb, chosen by the suffix; vertices in order, whole or not at all.

    Raises:
        MeshError: another suffix, or what `write_obj` refuses.
        OSError: the file cannot be written.
    """
    path = Path(path)
    check_suffix(path)
    if path.suffix.lower() == ".obj":
        return write_obj(path, mesh)
    import trimesh  # half a second, which reading and writing .obj need not cost

    mesh.validated(path)
    plain = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    content: Any = plain.export(file_type=path.suffix.lower()[1:])
    _write(path, content.encode() if isinstance(content, str) else content)


def check_suffix(path: Path) -> None:
    """Refuse a file name that no mesh can be written to."""
    if path.suffix.lower() not in PARSERS:
        raise MeshError(f"cannot write {path.suffix or 'a file without suffix'}", path, f"use {SUFFIXES}")


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
