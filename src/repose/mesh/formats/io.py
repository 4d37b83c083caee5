"""Reading and writing mesh files. The format is chosen by the suffix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from repose.errors import MeshError
from repose.mesh.formats.files import parsed, read_bytes, write_bytes
from repose.mesh.formats.glb import parse_glb
from repose.mesh.formats.off import parse_off
from repose.mesh.formats.ply import parse_ply
from repose.mesh.formats.stl import parse_stl
from repose.mesh.mesh import Mesh


def _parse_obj(data: bytes, where: object) -> Mesh:
    from repose.mesh.formats.obj import parse_obj  # its compiled scanner takes a second to load

    return parse_obj(data, where)


PARSERS = {".obj": _parse_obj, ".ply": parse_ply, ".off": parse_off, ".glb": parse_glb, ".stl": parse_stl}
SUFFIXES = ", ".join(PARSERS)


def read_mesh(path: str | Path) -> Mesh:
    """Read an .obj, .ply, .off, .glb or .stl file; vertices and faces keep the order and count of the file.

    Args:
        path: the file. Polygons become fans of triangles: (0, 1, 2), (0, 2, 3), ... of their corners.

    Returns:
        The mesh, which is checked to be finite and not empty, with face indices in range.

    Raises:
        MeshError: the file is missing, unreadable, too large or malformed; names file, line and a hint.
    """
    path = Path(path)
    check_suffix(path, "read")
    return parse_mesh(read_bytes(path), path)


def parse_mesh(data: bytes, path: Path) -> Mesh:
    """Parse the content of a mesh file, as `read_mesh` does; `path` states the format and is named in errors."""
    check_suffix(path, "read")
    return parsed(PARSERS[path.suffix.lower()], data, path)


def write_obj(path: str | Path, mesh: Mesh) -> None:
    """Write a mesh as .obj: only `v x y z` and `f a b c` lines, vertices in order.

    The layout is the one that the loaders of NPT, 3D-CoreNet and MAPConNet read. Coordinates are rounded to
    float32 and written as the shortest decimal that gives that float32 back. The file appears whole or not
    at all.

    Raises:
        MeshError: the mesh is empty, or has values that are not finite, too large, or out of range.
        OSError: the file cannot be written.
    """
    from repose.mesh.formats.obj import format_obj

    write_bytes(Path(path), format_obj(mesh.validated(path)))


def write_mesh(path: str | Path, mesh: Mesh) -> None:
    """Write a mesh as .obj, .ply, .off, .glb or .stl, chosen by the suffix; vertices in order (but for .stl, which has
    none), whole or not at all.

    Raises:
        MeshError: the suffix is unknown, or `write_obj` would refuse the mesh.
        OSError: the file cannot be written.
    """
    path = Path(path)
    check_suffix(path)
    write_bytes(path, formatted(mesh, path))


def formatted(mesh: Mesh, path: Path) -> bytes:
    """Return the content of the file that `write_mesh` would write."""
    mesh.validated(path)
    if path.suffix.lower() == ".obj":
        from repose.mesh.formats.obj import format_obj

        return format_obj(mesh)
    import trimesh  # takes half a second, which .obj files need not cost

    plain = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    content: Any = plain.export(file_type=path.suffix.lower()[1:])
    return content.encode() if isinstance(content, str) else bytes(content)


def check_suffix(path: Path, to: str = "write") -> None:
    """Refuse a file name that no mesh can be written to, or read from."""
    if path.suffix.lower() not in PARSERS:
        raise MeshError(f"cannot {to} {path.suffix or 'a file without suffix'}", path, f"use {SUFFIXES}")
