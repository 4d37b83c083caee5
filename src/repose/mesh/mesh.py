"""The mesh type that every stage passes around."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from repose.errors import MeshError

INT32_MAX = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Mesh:
    """A triangle mesh whose vertex order is meaningful.

    Args:
        vertices: (V, 3) float64, metres. Other real dtypes are converted.
        faces: (F, 3) int32, zero-based. Other integer dtypes are converted.

    Raises:
        MeshError: an array has another shape or type of numbers. Values are checked by `validated`.
    """

    vertices: np.ndarray
    faces: np.ndarray

    def __post_init__(self) -> None:
        vertices, faces = np.asarray(self.vertices), np.asarray(self.faces)
        if vertices.ndim != 2 or vertices.shape[1] != 3 or vertices.dtype.kind not in "fiu":
            raise MeshError(f"vertices must be (V, 3) real numbers, not {vertices.shape} {vertices.dtype}")
        if faces.ndim != 2 or faces.shape[1] != 3 or faces.dtype.kind not in "iu":
            raise MeshError(f"faces must be (F, 3) integers, not {faces.shape} {faces.dtype}")
        if faces.dtype.itemsize >= 4 and faces.dtype != np.int32 and faces.size and faces.max() > INT32_MAX:
            raise MeshError(f"face index {faces.max()} does not fit in 32 bits")
        object.__setattr__(self, "vertices", np.ascontiguousarray(vertices, np.float64))
        object.__setattr__(self, "faces", np.ascontiguousarray(faces, np.int32))

    def validated(self, where: object = None) -> Mesh:
        """Return this mesh if its values are sound.

        Args:
            where: the file or mesh id to name in an error.

        Raises:
            MeshError: there is no vertex or no face, a coordinate is NaN or infinite, or a face index is out of range.
        """
        if not len(self.vertices) or not len(self.faces):
            missing = "vertices" if not len(self.vertices) else "faces"
            raise MeshError(f"the mesh has no {missing}", where, "export it again, as triangles")
        finite = np.isfinite(self.vertices)
        if not finite.all():
            bad = int(np.argmin(finite.all(axis=1)))
            what = f"vertex {bad} is not finite: {self.vertices[bad].tolist()}"
            raise MeshError(what, where, "check for NaN what made it")
        low, high = int(self.faces.min()), int(self.faces.max())
        if low < 0 or high >= len(self.vertices):
            bad = int(np.argmax(((self.faces < 0) | (self.faces >= len(self.vertices))).any(axis=1)))
            what = f"face {bad} names vertices {self.faces[bad].tolist()}, but there are {len(self.vertices)}"
            raise MeshError(what, where, "check the faces")
        return self
