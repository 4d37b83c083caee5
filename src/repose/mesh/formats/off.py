"""Reader of OFF text files, with or without colours and normals after the coordinates.

trimesh's reader is not used: it drops faces with fewer corners than announced, and reorders polygons.
"""

from __future__ import annotations

import io
from itertools import islice

from repose.errors import MeshError
from repose.mesh.formats.rows import CORNERS, Rows
from repose.mesh.mesh import Mesh

KEYWORDS = {b"OFF", b"COFF", b"NOFF", b"CNOFF"}


def parse_off(data: bytes, where: object = "<bytes>") -> Mesh:
    """Read the bytes of an OFF file; polygons become fans, numbers after the needed ones are ignored.

    Raises:
        MeshError: the content is not a text OFF file, or is truncated or damaged; names the line.
    """
    words, pos = header(data)
    if not words or words[0] not in KEYWORDS or words[1:2] == [b"BINARY"]:
        raise MeshError("not a text OFF file", where, "the first line must be OFF")
    counts = words[1:]
    if len(counts) not in (2, 3) or not all(count.isdigit() and len(count) < 10 for count in counts):
        raise MeshError(
            "the counts of vertices and faces are malformed", where, "write `vertices faces edges`"
        )
    rows = Rows(data, pos, where, comments=True, extra=True)
    vertices = rows.reals(int(counts[0]), range(3), 3)
    faces = rows.faces(int(counts[1]), [CORNERS], len(vertices))
    rows.finish()
    return Mesh(vertices, faces)


def header(data: bytes) -> tuple[list[bytes], int]:
    """Return the keyword and the counts, from one line or two, and where the rows start."""
    tokens: list[bytes] = []
    pos = 0
    while pos < len(data) and len(tokens) < 2:
        end = data.find(b"\n", pos) + 1 or len(data)
        tokens += data[pos:end].split(b"#", 1)[0].split(None, 8)
        pos = end
    return tokens, pos


def coloured(data: bytes) -> tuple[bool, bool]:
    """Return whether numbers follow the vertices of a valid file, and the corners of its faces; these are colours."""
    words, pos = header(data)
    rows = (row for line in io.BytesIO(data[pos:]) if (row := line.partition(b"#")[0].split()))
    width = 6 if b"N" in words[0] else 3
    vertices = sum(len(row) > width for row in islice(rows, int(words[1])))
    return vertices > 0, any(len(row) > 1 + int(row[0]) for row in rows)
