"""Give a posed mesh back the shape of the body that it is of: the nearest mesh whose parts are only turned.

A network places vertices one by one, and thins limbs or tears hands as it does. The identity mesh says what each part
looks like, and the pose mesh about where the surface is, so the identity's own surface is bent to there.
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
from repose.mesh.variation import decimated, nearest_places

if TYPE_CHECKING:
    from torch import Tensor


# Chosen on validation triples of both open datasets (docs/use.md). SURFACE_PULL says how strongly vertices follow the
# nearest one of the pose mesh, as PULL of `repose.mesh.sheet` does for the network's guess. NORMALS says what a normal
# counts among places, as a share of the side of the square that is as large as the surface.
SURFACE_PULL = 100.0
SEARCHES = 40
NORMALS = 0.2
MOST = 4000  # vertices that closest points are found for; a finer mesh takes its turns from a coarser one


def finished(
    finish: Finish,
    identity: Tensor,  # (B, V, 3) metres
    faces: Faces,  # (F, 3)
    pose: Tensor,  # (B, M, 3) metres
    pose_faces: Faces,  # (G, 3)
    found: Tensor,  # (B, V, 3) metres
    warp: Tensor | None = None,  # (B, V, 3) metres
) -> Tensor:  # (B, V, 3) metres, float32
    """The found meshes as they are, or the projection that is asked for of the coarse warp, if there is one.

    Raises:
        MeshError: `rotations` or `icp` of a mesh with a face of no area, or `icp` to a mesh of no area.
    """
    if finish == "none":
        return found.float()
    import torch  # a person's own two meshes are posed without, in half the time

    done = []
    for rest, target, other in zip(identity, found if warp is None else warp, pose, strict=True):
        a, b, c = (x.double().cpu().numpy() for x in (rest, target, other))
        done.append(projected(finish, a, faces, b, c, pose_faces))
    return torch.from_numpy(np.stack(done)).float().to(found.device)


def projected(
    finish: Finish,
    rest: Float,  # (V, 3) the identity
    faces: Faces,  # (F, 3)
    found: Float,  # (V, 3) where a network puts its vertices
    pose: Float,  # (M, 3)
    pose_faces: Faces,  # (G, 3)
) -> Float:  # (V, 3)
    """One found mesh as it is, or the projection of it that is asked for.

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
    start: Float,  # (V, 3) about where its vertices are
    surface: Float,  # (M, 3) another body in the pose to take, about the same origin as `start`
    surface_faces: Faces,  # (G, 3)
) -> Float:  # (V, 3)
    """Turn the faces of `rest` as on the surface of another body, whose parts it finds from `start` on.

    Iterative closest points of a surface that bends (Amberg, Romdhani and Vetter, CVPR 2007, with the stiffness of
    `Sheet` in place of theirs). The other body is taken at the size at which its area is that of `rest`. Each vertex is
    drawn to the nearest of its vertices, where near counts place and normal. What was found has something of the other
    body's shape, so only the rotations of its faces are kept.

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
    """Where the vertices of a sheet come to lie on the surface of another body, before only rotations are kept.

    Raises:
        MeshError: one of the two has no area.
    """
    rest, faces = sheet.rest, sheet.faces
    surface = surface * scale(rest, faces, surface, surface_faces)
    side = np.sqrt(face_areas(rest, faces).sum())
    # Some meshes are inside out; their normals say so, and nothing else does.
    reach, other_reach = (
        NORMALS * side * np.sign(volume(v, f) or 1.0) for v, f in ((rest, faces), (surface, surface_faces))
    )
    tree, x = KDTree(np.c_[surface, other_reach * vertex_normals(surface, surface_faces)]), start
    for _ in range(searches):
        _, nearest = tree.query(np.c_[x, reach * vertex_normals(x, faces)])
        x = sheet.follow(x, surface[nearest], rounds=1)
    return x


def scale(rest: Float, faces: Faces, surface: Float, surface_faces: Faces) -> float:
    """How many times as large another surface must be to have the area of `rest`.

    Raises:
        MeshError: one of the two has no area.
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
    """`on_surface` at the cost of `MOST` vertices: the faces of a finer mesh are turned as a coarser one is there.

    Raises:
        MeshError: the other body, or a face of `rest`, has no area.
    """
    surface, surface_faces = decimated(surface, surface_faces, MOST)
    if len(rest) <= MOST:
        return on_surface(rest, faces, start, surface, surface_faces)
    coarse, coarse_faces = decimated(rest, faces, MOST)
    there = nearest_places(coarse, rest, faces).carry(start, faces)
    posed = on_surface(coarse, coarse_faces, there, surface, surface_faces)
    return lifted(rest, faces, coarse, coarse_faces, posed)


def lifted(
    rest: Float,  # (V, 3)
    faces: Faces,  # (F, 3)
    coarse: Float,  # (C, 3) the same surface of fewer vertices
    coarse_faces: Faces,  # (D, 3)
    posed: Float,  # (C, 3) that one in a pose
) -> Float:  # (V, 3), its mean is the origin
    """A fine mesh whose faces are turned as those of a coarse one of it are.

    Raises:
        MeshError: a face of `rest` has no area.
    """
    turns = Sheet(coarse, coarse_faces, SURFACE_PULL).turns(posed).reshape(-1, 9)
    middles = nearest_places(rest[faces].mean(axis=1), coarse, coarse_faces)
    maps = middles.carry(turns, coarse_faces).reshape(-1, 3, 3)
    return PoissonEquation(rest, faces).vertices(rotations(maps))
