"""What a mesh is like, as one row of the catalogue: the measures that decide whether it may train a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from repose.mesh import operators
from repose.mesh.intersections import intersecting_faces
from repose.mesh.mesh import Mesh

DEGENERATE_RATIO = 1e-10  # area over squared longest side, below which a face has no usable normal


@dataclass(frozen=True)
class Quality:
    """Measures of one mesh; the field names are column names.

    Attributes:
        vertices, faces: counts.
        closed: every edge lies between two faces of consistent orientation.
        manifold: no edge has three faces, and the faces around each vertex form one fan.
        components: connected pieces.
        degenerate_faces: faces with a repeated vertex, or practically no area.
        duplicate_vertices: vertices at exactly the place of an earlier one.
        unreferenced_vertices: vertices that no face uses.
        self_intersections: faces that a face sharing no vertex with them passes through.
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


def measure(mesh: Mesh) -> Quality:
    """Measure a mesh that `Mesh.validated` accepts."""
    vertices, faces = mesh.vertices, mesh.faces
    closed = operators.is_closed(faces)
    width, height, depth = np.ptp(vertices, axis=0).tolist()
    x, y, z = operators.bbox_centre(vertices).tolist()
    return Quality(
        vertices=len(vertices),
        faces=len(faces),
        closed=closed,
        manifold=operators.is_manifold(faces),
        components=operators.components(faces),
        degenerate_faces=degenerate_faces(vertices, faces),
        duplicate_vertices=len(vertices) - len(np.unique(vertices, axis=0)),
        unreferenced_vertices=len(vertices) - len(np.unique(faces)),
        self_intersections=int(intersecting_faces(vertices, faces).sum()),
        volume_m3=operators.volume(vertices, faces) if closed else float("nan"),
        height_m=height,
        width_m=width,
        depth_m=depth,
        centre_x_m=x,
        centre_y_m=y,
        centre_z_m=z,
    )


def degenerate_faces(vertices: np.ndarray, faces: np.ndarray) -> int:
    """How many faces repeat a vertex or have practically no area for their size."""
    sides = vertices[np.roll(faces, -1, axis=1)] - vertices[faces]
    longest = (sides**2).sum(axis=2).max(axis=1)
    return int((operators.face_areas(vertices, faces) <= DEGENERATE_RATIO * longest).sum())
