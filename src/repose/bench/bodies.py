"""One open body at any size, for benches that need the shape of a human and not a sphere.

The separators of a body are small (necks, wrists), and so are the factors of its operators: a sphere of the
same size would be three times slower and say little.
"""

from functools import cache

import numpy as np
import trimesh
from numpy.typing import NDArray

from repose.raw.open_human import Settings, generate, meshes

LARGEST = 12_000
"""Vertices up to which a body is decimated from its template; larger ones are refined from smaller."""


@cache
def body(vertices: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """A posed body of `open-human`: (V, 3) metres, y up, and (2 V - 4, 3) faces of a closed surface.

    Above `LARGEST` vertices, faces of a smaller body are cut in four: V is wanted to within three then.
    """
    if vertices > LARGEST:
        finer = trimesh.remesh.subdivide(*body((vertices + 6) // 4))  # V + edges = 4 V - 6
        return np.asarray(finer[0], np.float64), np.asarray(finer[1], np.int32)
    recipe = generate(Settings(vertices=vertices, identities=1, poses=1))
    return meshes(recipe, 0, [0])[0].astype(np.float64), recipe.faces
