"""A mesh file with all its content: read as one surface, and written back with other positions.

Files repeat a vertex where texture coordinates, a normal or a material is discontinuous, and may have faces without an
area. For the geometry, such vertices are joined and such faces are left out. The file keeps them all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import igl
import numpy as np
from numpy.typing import NDArray

from repose.errors import MeshError
from repose.mesh.formats.convert import converted
from repose.mesh.formats.files import read_bytes, write_bytes
from repose.mesh.formats.glb import read_scene
from repose.mesh.formats.io import check_suffix, parse_mesh
from repose.mesh.formats.plain_obj import read_plain
from repose.mesh.formats.rewrite import glb, obj, off, ply, stl
from repose.mesh.mesh import Mesh
from repose.mesh.operators import Float, edge_uses, face_areas, outward
from repose.mesh.quality import DEGENERATE_RATIO

REWRITERS = {
    ".obj": obj.rewrite,
    ".ply": ply.rewrite,
    ".off": off.rewrite,
    ".glb": glb.rewrite,
    ".stl": stl.rewrite,
}
LIBRARY = re.compile(rb"(?m)^[ \t]*mtllib[ \t]+([^\r\n]{1,200})")
MAX_NAMES = 9
LARGEST = float(np.finfo(np.float32).max)
_FLAT = 1e-11  # of the mean area; the Poisson equation refuses 1e-12, for which there is no gradient


@dataclass(frozen=True, eq=False)
class Asset:
    """A mesh file.

    Attributes:
        path: path that it was read from.
        data: its content.
        file: (N,) vertices and all faces, as they are in the file.
        mesh: the surface: vertices (V, 3) joined at seams, faces with an area, which point outwards. Vertices in no
            face come along.
        scatter: (N,) which vertex of `mesh` each one of the file is.
    """

    path: Path
    data: bytes
    file: Mesh
    mesh: Mesh
    scatter: NDArray[np.int32]

    @property
    def joined(self) -> int:
        """The number of vertices of the file that are joined with an earlier one."""
        return len(self.file.vertices) - len(self.mesh.vertices)

    @property
    def flat_faces(self) -> int:
        """The number of faces of the file that have no area."""
        return len(self.file.faces) - len(self.mesh.faces)

    @property
    def turned_faces(self) -> int:
        """How many faces of the file point inwards, or another way than those beside them."""
        own = self.scatter[self.file.faces]
        if self.flat_faces:
            own = own[~flat_faces(self.mesh.vertices, own)]
        return int((own != self.mesh.faces).any(axis=1).sum())

    @property
    def is_y_up(self) -> bool:
        """Whether the format of the file states that y is up."""
        return self.path.suffix.lower() == ".glb"

    @property
    def has_skeleton(self) -> bool:
        """Whether a part of the mesh is skinned."""
        return self.is_y_up and any(part.skinned for part in read_scene(self.data, self.path).parts)

    @property
    def has_animations(self) -> bool:
        """Whether the file has animations."""
        return self.is_y_up and bool(read_scene(self.data, self.path).gltf.tree.get("animations"))

    @property
    def libraries(self) -> list[str]:
        """The material files that an .obj names, which are not opened."""
        if self.path.suffix.lower() != ".obj":
            return []
        names = [name.decode("utf-8", "replace").strip() for name in LIBRARY.findall(self.data)[:MAX_NAMES]]
        return ["".join(c if c.isprintable() else " " for c in name) for name in names]

    def has_faces_of(self, other: Asset) -> bool:
        """Return whether the two files have equal vertex counts and the same faces."""
        return self.scatter.shape == other.scatter.shape and np.array_equal(self.file.faces, other.file.faces)

    def as_joined_like(self, other: Asset) -> Asset:
        """Return this file with vertices joined and faces left out as in another file with the same faces."""
        _, first = np.unique(other.scatter, return_index=True)
        return replace(self, mesh=Mesh(self.file.vertices[first], other.mesh.faces), scatter=other.scatter)

    def spread(
        self,
        vertices: Float,  # (V, 3)
    ) -> Float:  # (N, 3)
        """Return positions for all vertices of the file, from those of the surface."""
        found: Float = vertices[self.scatter]
        hanging, corners, weights = self._hanging
        if moved := [k for k, c in enumerate(corners) if (vertices[c] != self.mesh.vertices[c]).any()]:
            found[hanging[moved]] = np.einsum("nk,nkc->nc", weights[moved], vertices[corners[moved]])
        return found

    def rewritten(
        self,
        vertices: Float,  # (V, 3)
    ) -> bytes:
        """Return the content of the file with other positions of its surface; unmoved parts are equal byte for byte.

        Raises:
            MeshError: the file cannot hold the positions.
        """
        spread = self.spread(vertices)
        if np.array_equal(spread, self.file.vertices):
            return self.data
        return REWRITERS[self.path.suffix.lower()](self.data, self.file, spread, self.path)

    def converted(
        self,
        vertices: Float,  # (V, 3)
        out: Path,  # its suffix chooses the format
    ) -> tuple[bytes, list[str]]:
        """Return the content in another format with other positions, and the names of what that format cannot hold.

        Raises:
            MeshError: a part of the file that was not read before is damaged, or a position does not fit in the format.
        """
        return converted(self.path, self.data, self.file, Mesh(self.spread(vertices), self.file.faces), out)

    @cached_property
    def _hanging(self) -> tuple[NDArray[np.intp], NDArray[np.int32], Float]:
        """Return the vertices of the file that only faces without an area use, and their places on the surface.

        They lie on the edges of other faces, for instance to mend a crack, and must move with them.
        """
        surface = np.unique(self.mesh.faces)
        hanging = np.setdiff1d(np.unique(self.file.faces), np.flatnonzero(np.isin(self.scatter, surface)))
        if not len(hanging) or not len(surface):
            return hanging[:0], np.zeros((0, 3), np.int32), np.zeros((0, 3))
        mesh = self.mesh
        points = self.file.vertices[hanging]
        _, face, nearest = igl.point_mesh_squared_distance(points, mesh.vertices, mesh.faces.astype(np.int64))
        corners = mesh.faces[np.ravel(face)]
        a, b, c = (np.ascontiguousarray(mesh.vertices[corners[:, k]]) for k in range(3))
        weights = igl.barycentric_coordinates(np.reshape(nearest, (-1, 3)), a, b, c)
        return hanging, corners, np.reshape(weights, (-1, 3))


def read_asset(path: str | Path) -> Asset:
    """Read an .obj, .ply, .off, .glb or .stl file with all its content.

    Raises:
        MeshError: as `repose.mesh.formats.io.read_mesh`.
    """
    path = Path(path)
    check_suffix(path, "read")
    return asset_of(read_bytes(path), path)


def asset_of(data: bytes, path: Path) -> Asset:
    """Parse the content of a mesh file, whose suffix states the format.

    Raises:
        MeshError: as `repose.mesh.formats.io.read_mesh`.
    """
    plain = read_plain(data) if path.suffix.lower() == ".obj" else None
    file = parse_mesh(data, path) if plain is None else plain.validated(path)
    if np.abs(file.vertices).max() > LARGEST:  # other formats could not hold it, and areas would overflow
        raise MeshError("a coordinate is too large for float32", path, "is the file damaged?")
    return Asset(path, data, file, *joined(file))


def joined(file: Mesh) -> tuple[Mesh, NDArray[np.int32]]:
    """The surface of a file's mesh: vertices joined at seams, faces with an area, which point outwards.

    Returns:
        It, and (N,) which of its vertices each one of the file is.
    """
    scatter = seams(file)
    _, first = np.unique(scatter, return_index=True)
    faces = scatter[file.faces]
    vertices = file.vertices[first]
    flat = flat_faces(vertices, faces)
    return Mesh(vertices, outward(vertices, faces if flat.all() else faces[~flat])), scatter


def write_asset(
    asset: Asset,
    out: Path,
    vertices: Float,  # (V, 3)
) -> list[str]:
    """Write a file with other positions of its surface, and return what another format cannot hold.

    In its own format only positions, and what depends on them, change. In another format it contains what that format
    can hold.

    Args:
        asset: the file that was read.
        out: where to write; the suffix chooses the format. The file appears whole or not at all.
        vertices: new positions of the vertices of `asset.mesh`.

    Returns:
        Names of what was lost; none in the file's own format.

    Raises:
        MeshError: the suffix is unknown, or the format cannot hold the positions.
        OSError: the file cannot be written.
    """
    check_suffix(out)
    lost: list[str] = []
    if out.suffix.lower() == asset.path.suffix.lower():
        content = asset.rewritten(vertices)
    else:
        content, lost = asset.converted(vertices, out)
    write_bytes(out, content)
    return lost


def seams(mesh: Mesh) -> NDArray[np.int32]:
    """Return a number (N,) for each vertex, counted from 0 in their order, which is equal for vertices split by a seam.

    Such vertices are at one place, each on the boundary of its piece of the surface. Two sheets that touch away from
    their boundaries, as closed lips do, stay separate.
    """
    edges, uses = edge_uses(mesh.faces)
    rim = np.unique(edges[uses == 1])
    leader = np.arange(len(mesh.vertices), dtype=np.int32)
    _, first, group = np.unique(mesh.vertices[rim], axis=0, return_index=True, return_inverse=True)
    leader[rim] = rim[first[group.ravel()]]
    return np.unique(leader, return_inverse=True)[1].astype(np.int32)


def flat_faces(vertices: Float, faces: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return which faces (F,) repeat a vertex or have practically no area."""
    sides = vertices[np.roll(faces, -1, axis=1)] - vertices[faces]
    areas = face_areas(vertices, faces)
    least = np.maximum(DEGENERATE_RATIO * (sides**2).sum(axis=2).max(axis=1), _FLAT * areas.mean())
    found: NDArray[np.bool_] = areas <= least
    return found
