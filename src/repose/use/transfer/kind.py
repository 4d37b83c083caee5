"""Whether a mesh is of a person or of a four-legged animal: its slowest vibrations say it.

They belong to the surface, and hardly change with pose, triangles, size, and how it is turned. A person is long: of the
two slowest the second is little faster than the first, as in a rod; an animal's trunk with four short legs has one slow
one. Weights are those of a linear discriminant of the logarithms, fitted to 480 open people and 480 open animals by
`docs/results/kind_fit.py`. Three, as more fit these bodies better and scans of people worse (docs/canonical.md).
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
_FEW = 350  # vertices, which have the same slow vibrations as more
_MANY = 10_000  # vertices that are too many to collapse edges in half a second
_CELL = 0.015  # side of the cubes that join them, over that of the square that is as large as the surface
# Logarithms of odds. Of 1,920 validation bodies five are beyond the second and wrong, of 189 of others none.
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


def tones(mesh: Mesh) -> Float | None:  # (3,)
    """Logarithms of the eigenvalues of the slowest vibrations of a mesh, by its largest piece, without the zero.

    Returns:
        None of too few vertices, and where much of the surface is in other pieces, as a limb may be.

    Raises:
        MeshError: it has no area.
    """
    vertices, faces = _thinned(normalised(mesh.vertices, mesh.faces), mesh.faces.astype(np.int64))
    _, pieces = igl.facet_components(faces)
    sizes = np.bincount(pieces, face_areas(vertices, faces))
    used, faces = np.unique(faces[pieces == sizes.argmax()], return_inverse=True)
    few = decimated(normalised(vertices[used], faces.reshape(-1, 3)), faces.reshape(-1, 3), _FEW)
    if sizes.max() < WHOLE * sizes.sum() or len(few[0]) <= len(_WEIGHTS) + 1:
        return None
    return np.log(np.maximum(surface_of(*few, len(_WEIGHTS) + 1).values[1:].astype(np.float64), 1e-6))


def animality(mesh: Mesh) -> float:
    """The logarithm of the odds that a mesh is of a four-legged animal and not of a person; 0 where it has no tones.

    Raises:
        MeshError: it has no area.
    """
    heard = tones(mesh)
    return 0.0 if heard is None else float(heard @ _WEIGHTS + _BIAS)
