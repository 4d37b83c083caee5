"""Whether a mesh is of a person or of a four-legged animal: its slowest vibrations say it.

They belong to the surface, and hardly change with pose, triangles, size, and how it is turned. A person is long: of the
two slowest the second is little faster than the first, as in a rod; an animal's trunk with four short legs has one slow
one. Weights are those of a linear discriminant of the logarithms, fitted to 480 open people and 480 open animals
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

_WEIGHTS = np.array([-41.83, 53.84, 9.79, 27.51, -29.98, -20.96, 18.93, -34.82])
_BIAS = 93.13
_FEW = 350  # vertices, which have the same slow vibrations as more
_MANY = 10_000  # vertices that are too many to collapse edges in half a second
_CELL = 0.015  # side of the cubes that join them, over that of the square that is as large as the surface
# Logarithms of odds. None of 960 validation bodies, and of 113 of other collections, is beyond the second and wrong.
SURE, LIKELY = 10.0, 3.0
Float = NDArray[np.float64]

_NAMES = {"human": "people", "animal": "four-legged"}
_HINT = 'say --model human or --model animal; in Python, repose.load("human")'


class Kind(NamedTuple):
    """What the meshes of a transfer are.

    Attributes:
        weights: name of the weights for it.
        trust: "sure" or "likely".
    """

    weights: str
    trust: str

    def __str__(self) -> str:
        return f"taken as {_NAMES[self.weights]} ({self.trust}), as --model {self.weights} says"


def kind_of(identity: Mesh, other: Mesh) -> Kind:
    """The kind of two bodies that are of one; who is not clear goes with the other.

    Raises:
        ReposeError: none is clear, or they are of two kinds.
        MeshError: a mesh has no area.
    """
    scores = animality(identity), animality(other)
    clear = [score for score in scores if abs(score) >= LIKELY]
    if not clear:
        raise ReposeError("cannot tell whether these are people or four-legged animals", hint=_HINT)
    if min(clear) < 0 < max(clear):
        names = [("a person", "a four-legged animal")[score > 0] for score in scores]
        raise ReposeError("the identity looks like {}, the other mesh like {}".format(*names), hint=_HINT)
    trust = "sure" if min(abs(score) for score in scores) >= SURE else "likely"
    return Kind("animal" if clear[0] > 0 else "human", trust)


def _thinned(vertices: Float, faces: NDArray[np.int64]) -> tuple[Float, NDArray[np.int64]]:
    """A mesh (V, 3), (F, 3) of area 1; one of many vertices with those of a small cube as one."""
    if len(vertices) <= _MANY:
        return vertices, faces
    cells = np.round(vertices / _CELL).astype(np.int64) @ [1 << 40, 1 << 20, 1]
    _, first, number = np.unique(cells, return_index=True, return_inverse=True)
    faces = number[faces]
    a, b, c = faces.T
    return vertices[first], faces[(a != b) & (b != c) & (c != a)]


def animality(mesh: Mesh) -> float:
    """The logarithm of the odds that a mesh is of a four-legged animal and not of a person, by its largest piece.

    Raises:
        MeshError: it has no area.
    """
    vertices, faces = _thinned(normalised(mesh.vertices, mesh.faces), mesh.faces.astype(np.int64))
    _, pieces = igl.facet_components(faces)
    largest = np.bincount(pieces, face_areas(vertices, faces)).argmax()
    used, faces = np.unique(faces[pieces == largest], return_inverse=True)
    few = decimated(normalised(vertices[used], faces.reshape(-1, 3)), faces.reshape(-1, 3), _FEW)
    values = surface_of(*few, len(_WEIGHTS) + 1).values[1:].astype(np.float64)
    if len(values) < len(_WEIGHTS):
        return 0.0  # of so few vertices nothing can be told
    return float(np.log(np.maximum(values, 1e-6)) @ _WEIGHTS + _BIAS)
