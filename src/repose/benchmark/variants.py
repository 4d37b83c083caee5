"""Variants of pose meshes with a known truth: other triangles, holes, noise, or another heading.

The identity mesh stays as it is, and so does the truth, except for another heading, which is also that of the truth. A
variant of a mesh has the name of the mesh, a tilde, and the kind: `id8_40~decimated`, or `id8_40~turned137` for a
rotation by so many degrees.
"""

import hashlib
import re
from typing import NamedTuple

import igl
import numpy as np

from repose.convert.catalog import mesh_numbers
from repose.errors import ReposeError
from repose.mesh.mesh import Mesh
from repose.mesh.operators import face_areas
from repose.mesh.variation import decimated

HOLES, RADIUS = 3, 0.06  # number of holes; radius over the side of a square with the area of the surface
NOISE = 0.005  # metres, in each coordinate
_TURNED = re.compile(r"turned(\d{1,3})")


class Named(NamedTuple):
    """A mesh of a dataset, and its variation."""

    mesh: str
    kind: str = ""


def named(name: str) -> Named:
    """Parse a name."""
    mesh, _, kind = name.partition("~")
    return Named(mesh, kind)


def numbers_of(name: str) -> tuple[int, int]:
    """Return identity and pose of a mesh, or of a variant of one."""
    return mesh_numbers(named(name).mesh)


def renamed(pose: str, truth: str | None, kind: str) -> tuple[str, str | None]:
    """Return the pose mesh and the truth of a row in a list of variants."""
    if kind != "turned":
        return f"{pose}~{kind}", truth
    degrees = 30 + _number(pose) % 301  # never near the original heading
    return f"{pose}~turned{degrees}", f"{truth}~turned{degrees}" if truth else None


def variant(mesh: Mesh, name: str) -> Mesh:
    """Return a mesh by its name, with float32 values; the hash in the list tells whether it is reproduced exactly."""
    kind = named(name).kind
    vertices, faces = mesh.vertices, mesh.faces
    if turned := _TURNED.fullmatch(kind):
        vertices = vertices @ _about_y(int(turned[1])).T
    elif kind == "decimated":
        vertices, faces = decimated(vertices, faces, len(vertices) // 2)
    elif kind == "remeshed":
        finer, triangles = igl.upsample(vertices, faces.astype(np.int64), 1)
        vertices, faces = decimated(finer, triangles, len(vertices))
    elif kind == "holes":
        vertices, faces = _holed(mesh, name)
    elif kind == "noise":
        draw = np.random.default_rng(_number(name))
        vertices = vertices + draw.normal(0, NOISE, vertices.shape)
    elif kind:
        raise ReposeError(
            f"{name!r} is no variant of a mesh", hint="the list is of another version of repose"
        )
    return Mesh(vertices.astype(np.float32), faces)


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")


def _about_y(degrees: int) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _holed(mesh: Mesh, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the mesh without the faces near some vertices."""
    radius = RADIUS * np.sqrt(face_areas(mesh.vertices, mesh.faces).sum())
    centres = mesh.vertices[[_number(f"{name} {k}") % len(mesh.vertices) for k in range(HOLES)]]
    middles = mesh.vertices[mesh.faces].mean(axis=1)
    far = np.linalg.norm(middles[:, None] - centres, axis=-1).min(axis=1) > radius
    used, faces = np.unique(mesh.faces[far], return_inverse=True)
    return mesh.vertices[used], faces.reshape(-1, 3)
