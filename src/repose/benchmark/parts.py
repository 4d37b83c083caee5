"""The rigid parts of a body: their vertices, and the body with its parts rotated as in another mesh."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from repose.mesh.operators import Float
from repose.mesh.poisson_equation import PoissonEquation
from repose.mesh.sheet import rotations
from repose.reading import read_npz

Int = NDArray[np.integer]


def part_labels(recipe: Path) -> Int | None:
    """Return for each vertex (V,) of generated bodies the bone with the largest weight; None without skin weights.

    Raises:
        ReposeError: the recipe is missing or damaged.
    """
    arrays = read_npz(recipe, "not a recipe, or torn", names=("skin_bones", "skin_weights"))
    if len(arrays) < 2:
        return None
    most = arrays["skin_weights"].argmax(axis=1)
    labels: Int = arrays["skin_bones"][np.arange(len(most)), most]
    return labels


def posed_like(
    true: Float,  # (V, 3) metres
    faces: Int,  # (F, 3)
    out: Float,  # (V, 3) metres, other positions of the same vertices
    parts: Int,  # (V,) labels
) -> Float:  # (V, 3) metres, about its mean
    """Return the body `true` with each part rotated rigidly, as its faces are in `out` on average; parts stay joined.

    A face belongs to the part of most of its corners. Vertices follow by the Poisson equation.

    Raises:
        MeshError: a face of `true` has no area.
    """
    a, b, c = parts[faces].T
    _, of = np.unique(np.where(b == c, b, a), return_inverse=True)
    equation = PoissonEquation(true, faces)
    maps = np.zeros((of.max() + 1, 3, 3))
    np.add.at(maps, of, equation.area2[:, None, None] * equation.jacobians(out))
    return equation.vertices(rotations(maps)[of])
