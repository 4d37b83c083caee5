"""Reader of STL files, binary and text: each triangle has its own corners, as the format does not join vertices."""

from __future__ import annotations

import re

import numpy as np

from repose.errors import MeshError
from repose.mesh.formats.rows import shown
from repose.mesh.mesh import Mesh

HEADER = 84  # 80 bytes of any content, and the number of triangles
FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("more", "<u2")])
STATEMENT = re.compile(rb"(?mi)^[ \t]*(?:(vertex)|facet[ \t]+(normal))((?:[ \t]+[^\s]+){3})[ \t\r]*$")
VERTEX = re.compile(rb"(?mi)^[ \t]*vertex\b")
MAX_VERTICES = 1 << 24


def parse_stl(data: bytes, where: object = "<bytes>") -> Mesh:
    """Read the bytes of an STL file: vertices 3 i to 3 i + 2 are the corners of face i.

    Raises:
        MeshError: the content is not STL, is truncated or damaged.
    """
    if is_binary(data):
        with np.errstate(invalid="ignore"):  # values that are not finite are refused with the mesh
            corners = np.frombuffer(data, FACET, offset=HEADER)["corners"].astype(np.float64).reshape(-1, 3)
    elif data.lstrip()[:5].lower() == b"solid":
        corners = _corners(data, where)
    else:
        raise MeshError("not an STL file, or a truncated one", where, "export it again")
    return Mesh(corners, np.arange(len(corners)).reshape(-1, 3))


def is_binary(data: bytes) -> bool:
    """Return whether the length fits a binary file's count of triangles; text may start like one, but cannot fit."""
    return len(data) >= HEADER and len(data) == HEADER + FACET.itemsize * int.from_bytes(
        data[80:84], "little"
    )


def _corners(data: bytes, where: object) -> np.ndarray:
    """Return the corners (V, 3) in a text file."""
    found = [s.group(3).split() for s in STATEMENT.finditer(data) if s.group(1)]
    if len(found) != sum(1 for _ in VERTEX.finditer(data)) or len(found) % 3 or len(found) > MAX_VERTICES:
        raise MeshError(
            "a vertex is malformed, or a face has not 3", where, "the file is truncated or damaged"
        )
    for row in found:
        for word in row:
            if not _is_number(word):
                raise MeshError(f"{shown(word)} is not a number", where, "the file is damaged")
    return np.array(found, "S64").astype(np.float64).reshape(-1, 3)


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return len(word) < 64 and b"_" not in word
