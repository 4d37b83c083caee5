"""Give a posed mesh back the shape of the body that it is of: the nearest mesh whose parts are only turned.

A network places vertices one by one, and thins limbs or tears hands as it does. The identity mesh says what each part
looks like, so its own surface is bent to where the network put it.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from scipy.sparse.linalg import splu
from torch import Tensor

from repose.mesh.jacobians import completed, jacobians
from repose.mesh.poisson import Poisson

Float = NDArray[np.float64]
Finish = Literal["none", "arap", "rotations"]

PULL = 10.0
"""How strongly vertices follow, against the stiffness of the surface, no unit: chosen on validation triples."""

ROUNDS = 10
_LEAST, _MOST = 0.01, 50.0  # cotangents outside of these belong to needles, and would undo the factorisation


def finished(
    finish: Finish,
    identity: Tensor,  # (B, V, 3) metres
    faces: NDArray[np.integer],  # (F, 3)
    found: Tensor,  # (B, V, 3) metres
    warp: Tensor | None = None,  # (B, V, 3) metres
) -> Tensor:  # (B, V, 3) metres, float32
    """The found meshes as they are, or the projection, by `arap` or `rotations`, of the coarse warp, if there is one.

    Raises:
        MeshError: `rotations` of a mesh with a face of no area.
    """
    if finish == "none":
        return found.float()
    found = found if warp is None else warp
    project = {"arap": as_rigid_as_possible, "rotations": turned}[finish]
    pairs = zip(identity.double().cpu().numpy(), found.double().cpu().numpy(), strict=True)
    return torch.from_numpy(np.stack([project(a, faces, b) for a, b in pairs])).float().to(found.device)


def as_rigid_as_possible(
    rest: Float,  # (V, 3)
    faces: NDArray[np.integer],  # (F, 3)
    target: Float,  # (V, 3)
    pull: float = PULL,
    rounds: int = ROUNDS,
) -> Float:  # (V, 3)
    """Bend `rest` towards `target`, as rigid as possible (Sorkine and Alexa, SGP 2007, equations 7 and 8).

    Minimises Σ w_ij ‖(x_i - x_j) - R_i (p_i - p_j)‖² + pull Σ a_i ‖x_i - y_i‖² in turns over rotations and vertices,
    from y on: w are cotangents of `rest`, a the shares of its area, so that the result does not depend on the number
    of vertices. The vertices of the paper are fixed or free; these are drawn.
    """
    first, second, stiffness = _edges(rest, faces)
    edges = np.arange(len(first))
    where = np.r_[first, second], np.r_[edges, edges]
    shape = len(rest), len(first)
    ends = sp.csr_array((np.ones(2 * len(first)), where), shape=shape)
    signs = np.r_[np.ones(len(first)), -np.ones(len(first))]
    across = sp.csr_array((signs, where), shape=shape)
    force = (pull * _shares(rest, faces) + 1e-9)[:, None]  # what no face uses stays where it was put
    laplacian = across @ sp.diags_array(stiffness) @ across.T
    factor = splu((laplacian + sp.diags_array(force[:, 0])).tocsc())
    before, x = rest[first] - rest[second], target
    for _ in range(rounds):
        moved = x[first] - x[second]
        outer = stiffness[:, None, None] * moved[:, :, None] * before[:, None, :]
        turns = _rotations(torch.from_numpy((ends @ outer.reshape(-1, 9)).reshape(-1, 3, 3))).numpy()
        wanted = (turns[first] + turns[second]) @ before[:, :, None] / 2
        x = factor.solve(across @ (stiffness[:, None] * wanted[:, :, 0]) + force * target)
    return x


def turned(rest: Float, faces: NDArray[np.integer], target: Float) -> Float:
    """The mesh whose faces are turned as between `rest` and `target`, and not stretched, as well as they fit together.

    Raises:
        MeshError: a face of `rest` has no area.
    """
    poisson = Poisson(rest, faces).to("cpu", torch.float64)
    field = jacobians(torch.from_numpy(target)[None], poisson.faces, poisson.inverses)
    turns = _rotations(completed(field, poisson.tangents))
    return poisson(turns)[0].numpy()


def _edges(rest: Float, faces: NDArray[np.integer]) -> tuple[NDArray[np.integer], NDArray[np.integer], Float]:
    """Both ends of the edge across each corner (3 F,), and half the cotangent there."""
    parts = []
    for corner in range(3):
        i, j, k = (faces[:, (corner + step) % 3] for step in range(3))
        a, b = rest[j] - rest[i], rest[k] - rest[i]
        area2 = np.linalg.norm(np.cross(a, b), axis=1)
        cotangent = np.clip((a * b).sum(1) / np.maximum(area2, 1e-12), _LEAST, _MOST)
        parts.append((j, k, cotangent / 2))
    first, second, stiffness = (np.concatenate(part) for part in zip(*parts, strict=True))
    return first, second, stiffness


def _shares(rest: Float, faces: NDArray[np.integer]) -> Float:
    """Shares (V,) of the vertices in the area of the mesh; their sum is 1."""
    corners = rest[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = np.repeat(np.linalg.norm(normals, axis=1), 3)
    total = np.bincount(faces.ravel(), areas, minlength=len(rest))
    return total / total.sum()


def _rotations(maps: Tensor) -> Tensor:  # (..., 3, 3) each
    """The rotation nearest to each map."""
    u, _, v = torch.linalg.svd(maps)
    mirrored = torch.linalg.det(u @ v) < 0
    u = torch.cat([u[..., :2], torch.where(mirrored[..., None, None], -u[..., 2:], u[..., 2:])], dim=-1)
    return u @ v
