"""The bench `images`: the face at each pixel of a person, by a z-buffer in NumPy and by ray casting.

The heading states how many complete images a core renders per second, with clothes, light and labels.
"""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from repose.bench import compare
from repose.images.correspondence import Camera
from repose.raw.settings import Parts
from repose.synthetic.open_fashion import OpenFashion
from repose.synthetic.open_human.recipe import Settings as BodySettings
from repose.synthetic.rendered.cast import Scene, sample_rays
from repose.synthetic.rendered.draw import draw_recipe
from repose.synthetic.rendered.recipe import ImageRecipe
from repose.synthetic.rendered.render import Renderer

SIZE, SAMPLES, VERTICES = 256, 3, 6890
IMAGES = 8  # of each outfit


def measure(vertices: int = VERTICES, size: int = SIZE) -> dict[str, Any]:
    """Compare both on one image, after rendering all images, whose CPU seconds give the images per second."""
    recipe = _recipe(vertices, size)
    renderer, triangles = Renderer(recipe), Renderer(recipe).triangles()
    renderer.render(recipe.drawn_shots[0])  # fills the caches of noise
    start = time.process_time()
    pictures = [renderer.render(shot) for shot in recipe.drawn_shots]
    rate = len(pictures) / (time.process_time() - start)
    geometry = pictures[0].geometry
    assert geometry is not None
    vertices_seen, camera = geometry.vertices, Camera(*geometry.camera)
    # Faces that are not worn are not in the image: skirt and hair are compared at their present places.
    shown = np.isin(np.arange(len(triangles)), np.unique(geometry.face))

    def plain() -> NDArray[np.int32]:
        return z_buffer(vertices_seen, triangles, shown, camera, size, size)

    def ours() -> NDArray[np.int32]:
        face = np.full(size * size, -1, np.int32)
        hits = Scene(vertices_seen, triangles, shown).from_eye(
            sample_rays(camera, np.argwhere(np.ones((size, size))), 1)
        )
        face[hits.ray] = hits.face
        return face.reshape(size, size)

    differ = float((plain() != ours()).mean())
    heading = f"{size} × {size} pixels, {vertices} vertices; whole images, {SAMPLES} × {SAMPLES} samples: "
    result = compare("images", f"{heading}{rate:.1f}/s per core", plain, ours, differ, repeats=3)
    return result | {"images_per_second": rate}


def z_buffer(
    vertices: NDArray, triangles: NDArray, shown: NDArray[np.bool_], camera: Camera, height: int, width: int
) -> NDArray[np.int32]:
    """Return the nearest face at each pixel centre (H, W), -1 if there is none, by a loop over the faces."""
    place, depth = camera.project(vertices), vertices[:, 2].astype(np.float64)
    nearest, face = np.full((height, width), np.inf), np.full((height, width), -1, np.int32)
    for number in np.flatnonzero(shown):
        corners = place[triangles[number]]
        low = np.maximum(np.ceil(corners.min(axis=0)), 0).astype(int)
        high = np.minimum(np.floor(corners.max(axis=0)), [width - 1, height - 1]).astype(int)
        if (low > high).any():
            continue
        x, y = np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1))
        (ax, ay), (bx, by), (cx, cy) = corners
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0:
            continue
        second = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
        third = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
        first = 1 - second - third
        inverse = 1 / depth[triangles[number]]  # 1/z is linear over the image of a plane
        z = 1 / (first * inverse[0] + second * inverse[1] + third * inverse[2])
        rows, columns = slice(low[1], high[1] + 1), slice(low[0], high[0] + 1)
        closer = (first >= 0) & (second >= 0) & (third >= 0) & (z < nearest[rows, columns])
        nearest[rows, columns][closer] = z[closer]
        face[rows, columns][closer] = number
    return face


def _recipe(vertices: int, size: int) -> ImageRecipe:
    # it loads torch and Anny, which takes seconds
    from repose.synthetic.open_human.generation import generate

    bodies = generate(BodySettings(vertices=vertices, identities=2, poses=8))
    shown = OpenFashion(
        source="open-fashion", height=size, width=size, samples=SAMPLES, vertices=vertices, images=IMAGES,
        identities=Parts.model_construct(train=2, val=0, test=0),  # a config may not ask for this
        poses=Parts.model_construct(train=8, val=0, test=0),
    )  # fmt: skip
    return draw_recipe(bodies, shown)
