"""Measures of one mesh of a user, which may have any frame, unit and defects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from repose.errors import MeshError
from repose.mesh import operators
from repose.mesh.frame import Answer, find_unit, find_up, metres_per
from repose.mesh.mesh import Mesh
from repose.mesh.quality import measure


@dataclass(frozen=True)
class Facts:
    """Measures of one mesh; lengths are in the file's own unit.

    Those that a catalogue has, too, are as in `repose.mesh.quality.Quality`, where `watertight` is called `closed`.

    Attributes:
        up, unit: what `repose.mesh.frame` finds; no unit if none makes it a body.
        height, longest_side: extent along `up`, and the largest of the three.
        height_m: height in metres, None without a unit.
        centre_offset: distance of the bounding box's middle from the origin.
        boundary_edges, holes: edges with one face, and the pieces they form.
        non_manifold_edges: edges with three faces or more.
        flipped_edges: edges between two faces of opposite orientation.
        orientation: "outward" or "inward", by the sign of the volume; "mixed" with flipped edges.
        largest_component: share of the faces in the largest piece.
        duplicate_faces: with the same three vertices as an earlier one.
    """

    vertices: int
    faces: int
    up: Answer
    unit: Answer | None
    height: float
    longest_side: float
    height_m: float | None
    centre_offset: float
    watertight: bool
    boundary_edges: int
    holes: int
    non_manifold_edges: int
    manifold: bool
    flipped_edges: int
    orientation: str
    components: int
    largest_component: float
    degenerate_faces: int
    duplicate_faces: int
    duplicate_vertices: int
    unreferenced_vertices: int
    self_intersections: int


def gather(mesh: Mesh, y_up: bool = False, where: object = None) -> Facts:
    """Measure a mesh that `Mesh.validated` accepts; `y_up` if its format states so (glTF); `where` names it in errors.

    Raises:
        MeshError: all its vertices are at one place.
    """
    vertices, faces = mesh.vertices, mesh.faces
    used = vertices[np.unique(faces)]
    sides = np.ptp(used, axis=0)
    if not sides.max() > 0:
        raise MeshError("all its vertices are at one place", where, "is it a body?")
    up = Answer("y", "sure", "glTF is y up") if y_up else find_up(sides, used.min(axis=0))
    unit = _unit(float(sides.max()))
    height = float(sides["xyz".index(up.value)])
    measured = measure(mesh)
    edges, uses = operators.edge_uses(faces)
    flipped = operators.flipped_edges(faces)
    side = "inward" if operators.volume(vertices, faces) < 0 else "outward"
    # number of faces of each piece
    pieces = np.bincount(operators.pieces_of(operators.directed_edges(faces))[: len(faces)])
    return Facts(
        vertices=measured.vertices,
        faces=measured.faces,
        up=up,
        unit=unit,
        height=height,
        longest_side=float(sides.max()),
        height_m=height * metres_per(unit.value) if unit else None,
        centre_offset=float(np.linalg.norm(operators.bbox_centre(used))),
        watertight=measured.closed,
        boundary_edges=int((uses == 1).sum()),
        holes=len(np.unique(operators.pieces_of(edges[uses == 1]))),
        non_manifold_edges=int((uses > 2).sum()),
        manifold=measured.manifold,
        flipped_edges=flipped,
        orientation="mixed" if flipped else side,
        components=measured.components,
        largest_component=float(pieces.max() / len(faces)),
        degenerate_faces=measured.degenerate_faces,
        duplicate_faces=len(faces) - len(np.unique(np.sort(faces, axis=1), axis=0)),
        duplicate_vertices=measured.duplicate_vertices,
        unreferenced_vertices=measured.unreferenced_vertices,
        self_intersections=measured.self_intersections,
    )


def _unit(longest: float) -> Answer | None:
    try:
        return find_unit(longest)
    except MeshError:
        return None
