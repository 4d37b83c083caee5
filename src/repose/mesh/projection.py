"""Project a posed mesh onto the shape of its body: the nearest mesh whose parts are only rotated.

A network places vertices one by one, and thus thins limbs or tears hands. The identity mesh shows the shape of each
part, and the pose mesh about where the surface is, so the identity's own surface is deformed to that place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import KDTree

from repose.errors import MeshError
from repose.mesh.finish import Finish
from repose.mesh.operators import Faces, Float, face_areas, vertex_normals, volume
from repose.mesh.poisson_equation import PoissonEquation
from repose.mesh.sheet import Sheet, as_rigid_as_possible, rotations, turned
from repose.mesh.variation import closest_points, decimated

if TYPE_CHECKING:
    from torch import Tensor


# Chosen on validation triples of both open datasets (docs/use.md). SURFACE_PULL is the weight by which vertices follow
# the nearest vertex of the pose mesh, like PULL of `repose.mesh.sheet` for the network's result. NORMALS is the weight
# of a normal against places, as a share of the side of a square with the area of the surface.
SURFACE_PULL = 100.0
SEARCHES = 40
NORMALS = 0.2
# vertices that closest points are searched for; a finer mesh gets its rotations from a coarser one
MOST = 4000


def finished(
    finish: Finish,
    identity: Tensor,  # (B, V, 3) metres
    faces: Faces,  # (F, 3)
    pose: Tensor,  # (B, M, 3) metres
    pose_faces: Faces,  # (G, 3)
    found: Tensor,  # (B, V, 3) metres
    warp: Tensor | None = None,  # (B, V, 3) metres
) -> Tensor:  # (B, V, 3) metres, float32
    """Return the found meshes unchanged, or the projection `finish` of them, or of the coarse warp if there is one.

    Raises:
        MeshError: a face has no area (`rotations`, `icp`), or the pose mesh has no area (`icp`).
    """
    if finish == "none":
        return found.float()
    import torch  # posing two single meshes does not load it, which halves the time

    done = []
    for rest, target, other in zip(identity, found if warp is None else warp, pose, strict=True):
        a, b, c = (x.double().cpu().numpy() for x in (rest, target, other))
        done.append(projected(finish, a, faces, b, c, pose_faces))
    return torch.from_numpy(np.stack(done)).float().to(found.device)


def projected(
    finish: Finish,
    rest: Float,  # (V, 3) the identity
    faces: Faces,  # (F, 3)
    found: Float,  # (V, 3) the network's positions of its vertices
    pose: Float,  # (M, 3)
    pose_faces: Faces,  # (G, 3)
) -> Float:  # (V, 3)
    """Return one found mesh unchanged, or the projection `finish` of it.

    Raises:
        MeshError: as `finished`.
    """
    match finish:
        case "arap":
            return as_rigid_as_possible(rest, faces, found)
        case "icp":
            return on_any_surface(rest, faces, found, pose, pose_faces)
        case "rotations":
            return turned(rest, faces, found)
        case "none":
            return found


def on_surface(
    rest: Float,  # (V, 3)
    faces: Faces,  # (F, 3)
    start: Float,  # (V, 3) approximate positions of its vertices
    surface: Float,  # (M, 3) another body in the pose to take, about the same origin as `start`
    surface_faces: Faces,  # (G, 3)
) -> Float:  # (V, 3)
    """Rotate the faces of `rest` as on the surface of another body; matching parts are found from `start` on.

    The method is non-rigid ICP (Amberg, Romdhani and Vetter, CVPR 2007, with the stiffness of `Sheet` in place of
    theirs). The other body is scaled so that its area is that of `rest`. Each vertex is drawn to the nearest vertex of
    the other body, by position and normal. The result takes on some of the other body's shape, so only the rotations of
    its faces are kept.

    Raises:
        MeshError: the other body, or a face of `rest`, has no area.
    """
    sheet = Sheet(rest, faces, SURFACE_PULL)
    return turned(rest, faces, drawn(sheet, start, surface, surface_faces, SEARCHES))


def drawn(
    sheet: Sheet,
    start: Float,  # (V, 3)
    surface: Float,  # (M, 3)
    surface_faces: Faces,  # (G, 3)
    searches: int,
) -> Float:  # (V, 3)
    """Return the vertices of a sheet after they were drawn to another body's surface, before only rotations are kept.

    Raises:
        MeshError: one of the two surfaces has no area.
    """
    rest, faces = sheet.rest, sheet.faces
    surface = surface * scale(rest, faces, surface, surface_faces)
    side = np.sqrt(face_areas(rest, faces).sum())
    # Some meshes are inside out, which only their normals show.
    reach, other_reach = (
        NORMALS * side * np.sign(volume(v, f) or 1.0) for v, f in ((rest, faces), (surface, surface_faces))
    )
    tree, x = KDTree(np.c_[surface, other_reach * vertex_normals(surface, surface_faces)]), start
    for _ in range(searches):
        _, nearest = tree.query(np.c_[x, reach * vertex_normals(x, faces)])
        x = sheet.follow(x, surface[nearest], rounds=1)
    return x


def scale(rest: Float, faces: Faces, surface: Float, surface_faces: Faces) -> float:
    """Return the factor by which another surface must be scaled to have the area of `rest`.

    Raises:
        MeshError: one of the two surfaces has no area.
    """
    areas = [face_areas(v, f).sum() for v, f in ((rest, faces), (surface, surface_faces))]
    if not min(areas) > 0:
        raise MeshError("a mesh whose faces have no area")
    return float(np.sqrt(areas[0] / areas[1]))


def on_any_surface(
    rest: Float,  # (V, 3)
    faces: Faces,  # (F, 3)
    start: Float,  # (V, 3)
    surface: Float,  # (M, 3)
    surface_faces: Faces,  # (G, 3)
) -> Float:  # (V, 3)
    """Run `on_surface` at the cost of `MOST` vertices: a finer mesh is rotated like a coarser version of it.

    Raises:
        MeshError: the other body, or a face of `rest`, has no area.
    """
    surface, surface_faces = decimated(surface, surface_faces, MOST)
    if len(rest) <= MOST:
        return on_surface(rest, faces, start, surface, surface_faces)
    coarse, coarse_faces = decimated(rest, faces, MOST)
    there = closest_points(coarse, rest, faces).interpolate(start, faces)
    posed = on_surface(coarse, coarse_faces, there, surface, surface_faces)
    return lifted(rest, faces, coarse, coarse_faces, posed)


def lifted(
    rest: Float,  # (V, 3)
    faces: Faces,  # (F, 3)
    coarse: Float,  # (C, 3) the same surface with fewer vertices
    coarse_faces: Faces,  # (D, 3)
    posed: Float,  # (C, 3) the coarse surface in a pose
) -> Float:  # (V, 3), its mean is the origin
    """Return a fine mesh whose faces are rotated like those of a coarse version of it.

    Raises:
        MeshError: a face of `rest` has no area.
    """
    turns = Sheet(coarse, coarse_faces, SURFACE_PULL).turns(posed).reshape(-1, 9)
    middles = closest_points(rest[faces].mean(axis=1), coarse, coarse_faces)
    maps = middles.interpolate(turns, coarse_faces).reshape(-1, 3, 3)
    return PoissonEquation(rest, faces).vertices(rotations(maps))
