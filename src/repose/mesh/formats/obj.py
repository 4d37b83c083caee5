"""Wavefront OBJ: a strict, fast reader that keeps vertices as they stand in the file, and a writer.

It reads `v x y z` (a weight or a colour after the coordinates is dropped) and `f`, whose texture and normal indices are
ignored. A face of n corners becomes the fan (0, 1, 2), (0, 2, 3), ... of its corners. Negative indices count back from
the vertices read so far. Comments, groups, materials, normals, lines and points are skipped, and a material library is
never opened. A keyword outside the format is an error, because a damaged `v` that was skipped would shift every vertex
after it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from repose.errors import MeshError
from repose.mesh.formats import scan
from repose.mesh.formats.files import parsed, read_bytes
from repose.mesh.mesh import Mesh

LAYOUT = csv.WriteOptions(include_header=False, delimiter=" ", quoting_style="none")
MESSAGES = {
    scan.KEYWORD: ("{token!r} is not an OBJ keyword", "the file is damaged, or not an OBJ file"),
    scan.RAGGED: ("a vertex has too few or too many numbers", "it needs 3, or as many as the others have"),
    scan.CORNERS: ("a face has fewer than 3 corners", "the file is truncated or damaged"),
    scan.INDEX: ("{token!r} is not a face corner", "write corners as v, v/vt, v//vn or v/vt/vn"),
    scan.ZERO_INDEX: ("a face names vertex 0", "OBJ counts vertices from 1"),
    scan.RANGE: ("a face names vertex {token}, which is out of range", "vertices are missing from the file"),
}


def read_obj(path: Path) -> Mesh:
    """Read an .obj file, as `repose.mesh.formats.io.read_mesh` does, without loading code for other formats.

    Raises:
        MeshError: the file is missing, unreadable, too large or malformed; names file, line and a hint.
    """
    return parsed(parse_obj, read_bytes(path), path)


def parse_obj(data: bytes, where: object = "<bytes>") -> Mesh:
    """Read the bytes of an OBJ file.

    Args:
        data: the file's content.
        where: its path, for errors.

    Returns:
        The mesh, vertices exactly as `float` reads them and in the order of the file.

    Raises:
        MeshError: the content breaks the rules above; names the line.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    buf = np.frombuffer(data, np.uint8)
    # A blank must precede every coordinate, and the last corner of every triangle.
    blanks = np.count_nonzero(buf <= scan.SPACE)
    starts = np.empty(blanks, np.int32)
    faces = np.empty((blanks, 3), np.int32)
    code, pos, n_vertices, n_faces, largest = scan.obj_statements(buf, starts, faces)
    if code != scan.OK:
        what, hint = MESSAGES[code]
        what = what.format(token=_token_at(data, pos))
        raise MeshError(what, f"{where}:{_line_of(data, pos)}", hint)
    if largest >= n_vertices:
        what, hint = f"a face names vertex {largest + 1}, but there are {n_vertices}", MESSAGES[scan.RANGE][1]
        raise MeshError(what, f"{where}:{_line_of(data, pos)}", hint)
    vertices = _read_reals(data, starts[: 3 * n_vertices], where)
    return Mesh(vertices.reshape(-1, 3), faces[:n_faces].copy())


def _token_at(data: bytes, pos: int) -> str:
    """Return the token at a position, shortened for a message."""
    return (data[pos : pos + scan.MAX_TOKEN].split(None, 1) or [b""])[0][:40].decode("utf-8", "replace")


def _line_of(data: bytes, pos: int) -> int:
    """Return the line number of a position, counted from 1."""
    return data.count(b"\n", 0, pos) + 1


def _read_reals(data: bytes, starts: np.ndarray, where: object) -> np.ndarray:
    """Return the (N,) float64 numbers that start at given positions (N,), each exactly as `float` reads it.

    Raises:
        MeshError: a token is not a number, not finite, or absurdly long.
    """
    values = np.empty(starts.size, np.float64)
    bad = scan.scan_reals(np.frombuffer(data, np.uint8), starts, values)
    if bad < 0:
        inexact = np.flatnonzero(np.isnan(values))
        texts = [
            data[start : start + scan.MAX_TOKEN + 1].split(None, 1)[0] for start in starts[inexact].tolist()
        ]
        values[inexact] = [float(text) for text in texts]
        infinite = np.flatnonzero(np.isinf(values))
        if not infinite.size:
            return values
        bad = infinite[0]
    start = int(starts[bad])
    raise MeshError(
        f"{_token_at(data, start)!r} is not a finite number",
        f"{where}:{_line_of(data, start)}",
        "the file is damaged, or its exporter diverged",
    )


def format_obj(mesh: Mesh) -> bytes:
    """Format a mesh as OBJ text: a `v x y z` line per vertex, then an `f a b c` line per face.

    Coordinates are written as the shortest decimal that reads back as the same float32, so a mesh whose
    vertices are float32 values survives write and read bit for bit (after a cast of what was read).

    Raises:
        MeshError: a coordinate does not fit in float32.
    """
    with np.errstate(over="ignore"):
        vertices = mesh.vertices.astype(np.float32)
    if not np.isfinite(vertices).all():
        raise MeshError("a coordinate is not finite, or too large for float32", hint="are these metres?")
    sink = pa.BufferOutputStream()
    for letter, columns in (("v", vertices.T), ("f", mesh.faces.T + 1)):
        rows = pa.table(
            [pa.repeat(letter, columns.shape[1]), *map(np.ascontiguousarray, columns)], list("kabc")
        )
        csv.write_csv(rows, sink, LAYOUT)
    return sink.getvalue().to_pybytes()
