"""Give a posed mesh back the shape of the body that it is of: the nearest mesh whose parts are only turned.

A network places vertices one by one, and thins limbs or tears hands as it does. The identity mesh says what each part
looks like, and the pose mesh about where the surface is, so the identity's own surface is bent to there.
"""

from __future__ import annotations

import igl
import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from scipy.sparse.linalg import splu
from scipy.spatial import KDTree
from torch import Tensor

from repose.errors import MeshError
from repose.mesh.finish import Finish
from repose.mesh.jacobians import completed, jacobians
from repose.mesh.operators import edge_stiffness, face_areas, vertex_areas, vertex_normals, volume
from repose.mesh.poisson import Poisson

Float = NDArray[np.float64]
Faces = NDArray[np.integer]

# Chosen on validation triples of both open datasets (docs/use.md). A pull says how strongly vertices follow, against
# the stiffness of the surface, no unit; to the network's guess of a vertex, and to the nearest one of the pose mesh.
# NORMALS says what a normal counts among places, as a share of the side of the square that is as large as the surface.
PULL = 30.0
SURFACE_PULL = 100.0
ROUNDS = 10
SEARCHES = 40
NORMALS = 0.2


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
    done = []
    for rest, target, other in zip(identity, found if warp is None else warp, pose, strict=True):
        a, b, c = (x.double().cpu().numpy() for x in (rest, target, other))
        match finish:
            case "arap":
                done.append(as_rigid_as_possible(a, faces, b))
            case "icp":
                done.append(on_surface(a, faces, b, c, pose_faces))
            case "rotations":
                done.append(turned(a, faces, b))
    return torch.from_numpy(np.stack(done)).float().to(found.device)


class Sheet:
    """The surface of a body, which resists stretching and not turning, and follows a target.

    Minimises Σ w_ij ‖(x_i - x_j) - R_i (p_i - p_j)‖² + pull Σ a_i ‖x_i - y_i‖² in turns over rotations R and vertices
    x (Sorkine and Alexa, SGP 2007, equations 7 and 8): w are cotangents of the mesh p at rest, a the shares of its
    area, so that the result depends neither on the number of vertices nor on their unit. The vertices of the paper are
    fixed or free; these are drawn.

    Args:
        rest: (V, 3) the body.
        faces: (F, 3).
        pull: how strongly vertices are drawn to the target.
    """

    def __init__(self, rest: Float, faces: Faces, pull: float):
        self.first, self.second, self.stiffness = edge_stiffness(rest, faces)
        edges = np.arange(len(self.first))
        where = np.r_[self.first, self.second], np.r_[edges, edges]
        shape = len(rest), len(self.first)
        self.ends = sp.csr_array((np.ones(2 * len(edges)), where), shape=shape)
        self.across = sp.csr_array((np.repeat([1.0, -1.0], len(edges)), where), shape=shape)
        areas = vertex_areas(rest, faces)
        self.force = (pull * areas / areas.sum() + 1e-9)[:, None]  # what no face uses stays where it was put
        laplacian = self.across @ sp.diags_array(self.stiffness) @ self.across.T
        self.factor = splu((laplacian + sp.diags_array(self.force[:, 0])).tocsc())
        self.before = rest[self.first] - rest[self.second]

    def follow(
        self,
        x: Float,  # (V, 3) where it is
        target: Float,  # (V, 3)
        rounds: int,
    ) -> Float:  # (V, 3)
        """Where it is after some rounds of rotations and vertices."""
        for _ in range(rounds):
            moved = x[self.first] - x[self.second]
            outer = self.stiffness[:, None, None] * moved[:, :, None] * self.before[:, None, :]
            turns = _rotations((self.ends @ outer.reshape(-1, 9)).reshape(-1, 3, 3))
            wanted = (turns[self.first] + turns[self.second]) @ self.before[:, :, None] / 2
            pulled = self.across @ (self.stiffness[:, None] * wanted[:, :, 0]) + self.force * target
            x = self.factor.solve(pulled)
        return x


def as_rigid_as_possible(
    rest: Float,  # (V, 3)
    faces: Faces,  # (F, 3)
    target: Float,  # (V, 3)
    pull: float = PULL,
    rounds: int = ROUNDS,
) -> Float:  # (V, 3)
    """Bend `rest` towards `target`, as rigid as possible: `Sheet`."""
    return Sheet(rest, faces, pull).follow(target, target, rounds)


def on_surface(
    rest: Float,  # (V, 3)
    faces: Faces,  # (F, 3)
    start: Float,  # (V, 3) about where its vertices are
    surface: Float,  # (M, 3) another body in the pose to take, about the same origin as `start`
    surface_faces: Faces,  # (G, 3)
    searches: int = SEARCHES,
) -> Float:  # (V, 3)
    """Turn the faces of `rest` as on the surface of another body, whose parts it finds from `start` on.

    Iterative closest points of a surface that bends (Amberg, Romdhani and Vetter, CVPR 2007, with the stiffness of
    `Sheet` in place of theirs). The other body is taken at the size at which its area is that of `rest`. Each vertex is
    drawn to the nearest of its vertices, where near counts place and normal. What was found has something of the other
    body's shape, so only the rotations of its faces are kept.

    Raises:
        MeshError: the other body, or a face of `rest`, has no area.
    """
    areas = [face_areas(v, f).sum() for v, f in ((rest, faces), (surface, surface_faces))]
    if not min(areas) > 0:
        raise MeshError("a mesh whose faces have no area")
    surface = surface * np.sqrt(areas[0] / areas[1])
    # Some meshes are inside out; their normals say so, and nothing else does.
    reach, other_reach = (
        NORMALS * np.sqrt(areas[0]) * np.sign(volume(v, f) or 1.0)
        for v, f in ((rest, faces), (surface, surface_faces))
    )
    tree = KDTree(np.c_[surface, other_reach * vertex_normals(surface, surface_faces)])
    sheet, x = Sheet(rest, faces, SURFACE_PULL), start
    for _ in range(searches):
        _, nearest = tree.query(np.c_[x, reach * vertex_normals(x, faces)])
        x = sheet.follow(x, surface[nearest], rounds=1)
    return turned(rest, faces, x)


def turned(rest: Float, faces: Faces, target: Float) -> Float:
    """The mesh whose faces are turned as between `rest` and `target`, and not stretched, as well as they fit together.

    Raises:
        MeshError: a face of `rest` has no area.
    """
    poisson = Poisson(rest, faces).to("cpu", torch.float64)
    field = jacobians(torch.from_numpy(target)[None], poisson.faces, poisson.inverses)
    turns = _rotations(completed(field, poisson.tangents)[0].numpy())
    return poisson(torch.from_numpy(turns)[None])[0].numpy()


def _rotations(
    maps: Float,  # (V, 3, 3)
) -> Float:  # (V, 3, 3)
    """The rotation nearest to each map."""
    stacked = np.ascontiguousarray(maps.transpose(1, 0, 2)).reshape(-1, 3)
    return igl.fit_rotations(stacked).T.reshape(-1, 3, 3)
