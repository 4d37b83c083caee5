"""Quality measures of a mesh, one row of the catalogue: they decide whether it may train a model."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from repose.mesh import operators
from repose.mesh.mesh import Mesh

DEGENERATE_RATIO = 1e-10  # area over squared longest side; a face below has no usable normal


@dataclass(frozen=True)
class Quality:
    """Measures of one mesh; the field names are column names.

    Attributes:
        vertices, faces: counts.
        closed: whether every edge lies between two faces of consistent orientation.
        manifold: whether no edge has three faces, and the faces around each vertex form one fan.
        components: connected pieces.
        degenerate_faces: faces with a repeated vertex, or practically no area.
        duplicate_vertices: vertices at exactly the position of an earlier one.
        unreferenced_vertices: vertices that no face uses.
        self_intersections: faces that intersect a face with which they share no vertex.
        volume_m3: signed; NaN if the mesh is not closed.
        height_m: extent along y.
        width_m, depth_m: extents along x and z.
        centre_x_m, centre_y_m, centre_z_m: middle of the bounding box.
    """

    vertices: int
    faces: int
    closed: bool
    manifold: bool
    components: int
    degenerate_faces: int
    duplicate_vertices: int
    unreferenced_vertices: int
    self_intersections: int
    volume_m3: float
    height_m: float
    width_m: float
    depth_m: float
    centre_x_m: float
    centre_y_m: float
    centre_z_m: float


# Columns of a catalogue besides the counts, which it always has.
QUALITY = [field.name for field in fields(Quality) if field.name not in ("vertices", "faces")]


def measure(mesh: Mesh) -> Quality:
    """Measure a mesh that `Mesh.validated` accepts."""
    # Imported here, because this compiled code takes a second to load.
    from repose.mesh.intersections import intersecting_faces

    vertices, faces = mesh.vertices, mesh.faces
    closed, manifold, components, referenced = _topology(faces.tobytes())
    width, height, depth = np.ptp(vertices, axis=0).tolist()
    x, y, z = operators.bbox_centre(vertices).tolist()
    return Quality(
        vertices=len(vertices),
        faces=len(faces),
        closed=closed,
        manifold=manifold,
        components=components,
        degenerate_faces=degenerate_faces(vertices, faces),
        duplicate_vertices=duplicate_vertices(vertices),
        unreferenced_vertices=len(vertices) - referenced,
        self_intersections=int(intersecting_faces(vertices, faces).sum()),
        volume_m3=operators.volume(vertices, faces) if closed else float("nan"),
        height_m=height,
        width_m=width,
        depth_m=depth,
        centre_x_m=x,
        centre_y_m=y,
        centre_z_m=z,
    )


@lru_cache(maxsize=8)
def _topology(content: bytes) -> tuple[bool, bool, int, int]:
    """Return the measures that depend on the faces alone, computed once for all meshes of a dataset."""
    faces = np.frombuffer(content, np.int32).reshape(-1, 3)
    referenced = len(np.unique(faces))
    return operators.is_closed(faces), operators.is_manifold(faces), operators.components(faces), referenced


def duplicate_vertices(vertices: np.ndarray) -> int:
    """Return how many vertices lie exactly where an earlier one lies."""
    x = np.sort(vertices[:, 0])
    twice = np.isin(vertices[:, 0], x[1:][x[1:] == x[:-1]])
    return int(twice.sum()) - len(np.unique(vertices[twice], axis=0))


def degenerate_faces(vertices: np.ndarray, faces: np.ndarray) -> int:
    """Return how many faces repeat a vertex or have practically no area for their size."""
    sides = vertices[np.roll(faces, -1, axis=1)] - vertices[faces]
    longest = (sides**2).sum(axis=2).max(axis=1)
    return int((operators.face_areas(vertices, faces) <= DEGENERATE_RATIO * longest).sum())
