"""Decide whether a mesh is of a person or of a four-legged animal, by the first Laplace-Beltrami eigenvalues.

These hardly change with pose, triangulation, size and orientation. A person is long: the second nonzero eigenvalue is
little larger than the first, as of a rod. An animal's trunk with four short legs has only one small eigenvalue. The
weights are those of a linear discriminant of the logarithms, fitted to 480 open people and 480 open animals by
`docs/results/kind_fit.py`. Three eigenvalues are used; more fit these bodies better, but scans of people worse
(docs/canonical.md).
"""

from __future__ import annotations

from typing import NamedTuple

import igl
import numpy as np
from numpy.typing import NDArray

from repose.errors import ReposeError
from repose.mesh.mesh import Mesh
from repose.mesh.operators import face_areas
from repose.mesh.spectrum import normalised, surface_of
from repose.mesh.variation import decimated

_WEIGHTS = np.array([-46.88, 56.21, 13.34])
_BIAS = -102.08
WHOLE = 0.97  # of the area, in one piece: eyes and teeth may be others, a leg may not
_FEW = 350  # vertices, which have the same first eigenvalues as more
_MANY = 10_000  # vertices that are too many to collapse edges in half a second
_CELL = 0.015  # side of the cubes that join them, over that of the square that is as large as the surface
# Logarithms of odds. Of 1,920 validation bodies five are beyond the second and wrong, of 189 of others none.
SURE, LIKELY = 10.0, 3.0
Float = NDArray[np.float64]

_NAMES = {"human": "people", "animal": "four-legged"}
_HINT = 'say --model human or --model animal; in Python, repose.load("human")'


class Kind(NamedTuple):
    """The kind of the meshes of a transfer.

    Attributes:
        weights: name of the weights for it.
        trust: "sure" or "likely".
    """

    weights: str
    trust: str

    def __str__(self) -> str:
        return f"taken as {_NAMES[self.weights]} ({self.trust}), as --model {self.weights} says"


def kind_of(identity: Mesh, other: Mesh) -> Kind:
    """Return the kind of two bodies, which must be the same; an unclear body is taken to be of the other's kind.

    Raises:
        ReposeError: both are unclear, or they are of different kinds.
        MeshError: a mesh has no area.
    """
    scores = animal_log_odds(identity), animal_log_odds(other)
    clear = [score for score in scores if abs(score) >= LIKELY]
    if not clear:
        raise ReposeError("cannot tell whether these are people or four-legged animals", hint=_HINT)
    if min(clear) < 0 < max(clear):
        names = [("a person", "a four-legged animal")[score > 0] for score in scores]
        raise ReposeError("the identity looks like {}, the other mesh like {}".format(*names), hint=_HINT)
    trust = "sure" if min(abs(score) for score in scores) >= SURE else "likely"
    return Kind("animal" if clear[0] > 0 else "human", trust)


def _thinned(vertices: Float, faces: NDArray[np.int64]) -> tuple[Float, NDArray[np.int64]]:
    """Return a mesh (V, 3), (F, 3) of area 1; in a mesh of many vertices, those in one small cube are joined."""
    if len(vertices) <= _MANY:
        return vertices, faces
    cells = np.round(vertices / _CELL).astype(np.int64) @ [1 << 40, 1 << 20, 1]
    _, first, number = np.unique(cells, return_index=True, return_inverse=True)
    faces = number[faces]
    a, b, c = faces.T
    return vertices[first], faces[(a != b) & (b != c) & (c != a)]


def log_eigenvalues(mesh: Mesh) -> Float | None:  # (3,)
    """Return the logarithms of the smallest nonzero eigenvalues of a mesh's largest piece.

    Returns:
        None if there are too few vertices, or if much of the surface, such as a limb, is in other pieces.

    Raises:
        MeshError: the mesh has no area.
    """
    vertices, faces = _thinned(normalised(mesh.vertices, mesh.faces), mesh.faces.astype(np.int64))
    _, pieces = igl.facet_components(faces)
    sizes = np.bincount(pieces, face_areas(vertices, faces))
    used, faces = np.unique(faces[pieces == sizes.argmax()], return_inverse=True)
    few = decimated(normalised(vertices[used], faces.reshape(-1, 3)), faces.reshape(-1, 3), _FEW)
    if sizes.max() < WHOLE * sizes.sum() or len(few[0]) <= len(_WEIGHTS) + 1:
        return None
    return np.log(np.maximum(surface_of(*few, len(_WEIGHTS) + 1).values[1:].astype(np.float64), 1e-6))


def animal_log_odds(mesh: Mesh) -> float:
    """Return the log odds that a mesh is a four-legged animal and not a person; 0 if it has no `log_eigenvalues`.

    Raises:
        MeshError: the mesh has no area.
    """
    values = log_eigenvalues(mesh)
    return 0.0 if values is None else float(values @ _WEIGHTS + _BIAS)
