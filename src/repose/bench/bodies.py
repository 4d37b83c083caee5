"""One open body at any size, for benches that need the shape of a human and not a sphere.

The separators of a body are small (necks, wrists), and so are the factors of its operators: a sphere of the same size
would be three times slower and not representative.
"""

from functools import cache

import igl
import numpy as np
import trimesh
from numpy.typing import NDArray

from repose.synthetic.open_human.posing import meshes
from repose.synthetic.open_human.recipe import Settings

FINEST = 12_000
"""Vertices of the body that all others are made from, close to all that its template has."""


@cache
def body(vertices: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """A posed body of `open-human`: (V, 3) metres, y up, and (2 V - 4, 3) faces of a closed surface.

    The shortest edge collapses to its middle until V vertices are left. That keeps the artist's triangles, and the
    face and hands finer than the trunk: at 6,890 vertices edges of 16.5 mm on average, standard deviation 52 % of
    it. (The data set itself is decimated by quadric error, which keeps creases and makes needles: 95 %.)
    """
    points, faces = _finest()
    if vertices > FINEST:
        points, faces = trimesh.remesh.subdivide(points, faces)
    fewer = igl.decimate(
        np.ascontiguousarray(points), np.ascontiguousarray(faces, np.int64), 2 * vertices - 4
    )
    return np.ascontiguousarray(fewer[0]), np.ascontiguousarray(fewer[1], np.int32)


@cache
def _finest() -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    # it loads torch and Anny, which takes seconds
    from repose.synthetic.open_human.generation import generate

    recipe = generate(Settings(vertices=FINEST, identities=1, poses=1))
    return meshes(recipe, 0, [0])[0].astype(np.float64), recipe.faces
