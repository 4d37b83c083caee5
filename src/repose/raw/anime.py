"""The `.anime` files of DeformingThings4D.

Little endian: int32 frames, vertices, triangles; float32 vertices (V, 3) of frame 0; int32 triangles (F, 3); float32
offsets (frames - 1, V, 3) of the other frames, each relative to frame 0.
"""

from dataclasses import dataclass

import numpy as np

from repose.errors import MeshError
from repose.mesh.mesh import Mesh

HEADER = 12
HINT = "the file is truncated or damaged"


@dataclass(frozen=True)
class Animation:
    """The content of one file: frames of one mesh with V vertices and F faces, in the file's unit."""

    first: np.ndarray  # (V, 3) float32
    faces: np.ndarray  # (F, 3) int32
    offsets: np.ndarray  # (frames - 1, V, 3) float32

    def frame(self, number: int) -> np.ndarray:
        """Return the vertices (V, 3) float32 of a frame, in the file's unit; frames are counted from 0."""
        return self.first + self.offsets[number - 1] if number else self.first


def parse_anime(data: bytes, where: object = "<bytes>") -> Animation:
    """Read the bytes of an .anime file.

    Raises:
        MeshError: the file is of another format, truncated, or longer than stated, a coordinate is not finite, or a
            triangle is out of range.
    """
    frames, vertices, faces = counts(data[:HEADER], len(data), where)
    first = np.frombuffer(data, "<f4", 3 * vertices, HEADER).reshape(-1, 3)
    triangles = np.frombuffer(data, "<i4", 3 * faces, HEADER + 12 * vertices).reshape(-1, 3)
    offsets = np.frombuffer(data, "<f4", offset=HEADER + 12 * (vertices + faces)).reshape(frames - 1, -1, 3)
    Mesh(first, triangles).validated(where)
    if not np.isfinite(offsets).all():
        bad = 1 + int(np.argmin(np.isfinite(offsets).all(axis=(1, 2))))
        raise MeshError(f"frame {bad} has offsets that are not finite", where, HINT)
    return Animation(first, triangles, offsets)


def counts(header: bytes, size: int, where: object) -> tuple[int, int, int]:
    """Return the numbers of frames, vertices and faces, from the first 12 bytes of a file of `size` bytes.

    Raises:
        MeshError: the numbers do not fit the size.
    """
    if len(header) < HEADER:
        raise MeshError("shorter than its header", where, HINT)
    frames, vertices, faces = (int(n) for n in np.frombuffer(header, "<i4", 3))
    if min(frames, vertices, faces) < 1:
        raise MeshError(
            f"announces {frames} frames, {vertices} vertices, {faces} triangles", where, "not an .anime file?"
        )
    expected = HEADER + 12 * (vertices * frames + faces)
    if size != expected:
        raise MeshError(f"has {size} bytes, its header asks for {expected}", where, HINT)
    return frames, vertices, faces
