"""Rotations of faces from a correspondence with errors: where it is wrong, rotations follow from the faces around."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import spsolve
from trimesh.graph import face_adjacency

from repose.mesh.operators import Faces, Float, face_areas, face_normals, unit
from repose.mesh.poisson_equation import PoissonEquation
from repose.mesh.sheet import rotations

AREAS = 0.05, 20.0  # bounds on the area of a face on the pose mesh, over its area in the identity
FOLD = 90.0  # degrees; two faces are folded if they are bent by more than this beyond the identity
_STAY = 1e-9  # weight of the identity rotation, which faces keep if none around them is sound


def turned_where_sound(
    rest: Float,  # (V, 3)
    faces: Faces,  # (F, 3)
    found: Float,  # (V, 3) where its vertices were found on another body
) -> Float:  # (V, 3), its mean is the origin
    """Return `repose.mesh.sheet.turned`, with smoothly interpolated rotations for faces that are not `sound`.

    Raises:
        MeshError: a face of `rest` has no area.
    """
    equation, across = PoissonEquation(rest, faces), face_adjacency(faces)
    turns = rotations(equation.jacobians(found))
    return equation.vertices(filled(turns, sound(rest, faces, found, across), across))


def sound(
    rest: Float,  # (V, 3)
    faces: Faces,  # (F, 3)
    found: Float,  # (V, 3)
    across: NDArray[np.integer],  # (P, 2) pairs of faces that share an edge
) -> NDArray[np.bool_]:  # (F,)
    """Return which faces have about their old area and are not folded against most of their neighbours."""
    ratio = face_areas(found, faces) / face_areas(rest, faces)
    bent, was = (_angles(mesh, faces, across) for mesh in (found, rest))
    folded = across[bent - was > FOLD]
    count = len(faces)
    folds, neighbours = (np.bincount(pairs.ravel(), minlength=count) for pairs in (folded, across))
    kept: NDArray[np.bool_] = (ratio >= AREAS[0]) & (ratio <= AREAS[1]) & (2 * folds <= neighbours)
    return kept


def filled(
    turns: Float,  # (F, 3, 3) rotations
    kept: NDArray[np.bool_],  # (F,) faces whose rotations are kept
    across: NDArray[np.integer],  # (P, 2)
) -> Float:  # (F, 3, 3) rotations
    """Fill in the other rotations harmonically: each is nearest to the mean of those across its edges."""
    if kept.all():
        return turns
    count = len(turns)
    near = sp.coo_array((np.ones(len(across)), across.T), shape=(count, count))
    near = (near + near.T).tocsr()
    laplacian = (sp.diags_array(near.sum(axis=1) + _STAY) - near).tocsr()
    gone = np.flatnonzero(~kept)
    right = near[gone][:, np.flatnonzero(kept)] @ turns[kept].reshape(-1, 9) + _STAY * np.eye(3).ravel()
    solved = spsolve(laplacian[gone][:, gone].tocsc(), right).reshape(-1, 3, 3)
    out = turns.copy()
    out[gone] = rotations(solved)
    return out


def _angles(vertices: Float, faces: Faces, across: NDArray[np.integer]) -> Float:
    """Return the angles between the normals of faces that share an edge, (P,) degrees."""
    normals = unit(face_normals(vertices, faces))
    cosine = (normals[across[:, 0]] * normals[across[:, 1]]).sum(axis=1)
    angles: Float = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return angles
