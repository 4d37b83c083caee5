"""Rotations of faces from a correspondence that is wrong in places: there they follow from those around."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import spsolve
from trimesh.graph import face_adjacency

from repose.mesh.operators import Faces, Float, face_areas, face_normals, unit
from repose.mesh.poisson_equation import PoissonEquation
from repose.mesh.sheet import rotations

AREAS = 0.05, 20.0  # of a face there, over that in the identity
FOLD = 90.0  # degrees by which two faces are bent against each other more than in the identity
_STAY = 1e-9  # what keeps faces where none around them is sound as they are


def turned_where_sound(
    rest: Float,  # (V, 3)
    faces: Faces,  # (F, 3)
    found: Float,  # (V, 3) where its vertices were found on another body
) -> Float:  # (V, 3), its mean is the origin
    """`repose.mesh.sheet.turned`, where faces that are not sound are turned smoothly between those that are.

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
    across: NDArray[np.integer],  # (P, 2) faces that share an edge
) -> NDArray[np.bool_]:  # (F,)
    """Which faces have about the area they had, and are not folded against most of their neighbours."""
    ratio = face_areas(found, faces) / face_areas(rest, faces)
    bent, was = (_angles(mesh, faces, across) for mesh in (found, rest))
    folded = across[bent - was > FOLD]
    count = len(faces)
    folds, neighbours = (np.bincount(pairs.ravel(), minlength=count) for pairs in (folded, across))
    kept: NDArray[np.bool_] = (ratio >= AREAS[0]) & (ratio <= AREAS[1]) & (2 * folds <= neighbours)
    return kept


def filled(
    turns: Float,  # (F, 3, 3) rotations
    kept: NDArray[np.bool_],  # (F,) those that stay
    across: NDArray[np.integer],  # (P, 2)
) -> Float:  # (F, 3, 3) rotations
    """Each other one is nearest to the mean of those across its edges, itself one of that kind: a harmonic fill."""
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
    """Between the normals of faces that share an edge, (P,) degrees."""
    normals = unit(face_normals(vertices, faces))
    cosine = (normals[across[:, 0]] * normals[across[:, 1]]).sum(axis=1)
    angles: Float = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return angles
