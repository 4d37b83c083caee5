"""Dataset ``open-human``: synthetic bodies of many identities in one shared bank of poses.

`generate` makes a small `Recipe` from the free parametric human Anny; `meshes` turns a recipe into vertices.
Every identity exists in every pose on one closed triangle mesh, so each pose transfer has an exact truth.

    recipe = generate(Settings(vertices=1200, identities=20, poses=110, seed=0))
    recipe.write(path)
    vertices = meshes(Recipe.read(path), identity=3, poses=[0, 1, 2])    # (3, 1200, 3) float32

Reading and posing need numpy and scipy alone; only `generate` loads torch and Anny.
"""

import sys
from collections.abc import Callable

from repose.synthetic.open_human.posing import meshes
from repose.synthetic.open_human.recipe import Recipe, Settings
from repose.synthetic.open_human.source import LICENCE

__all__ = ["LICENCE", "Recipe", "Settings", "finer", "generate", "meshes"]


def generate(settings: Settings, progress: Callable[[int, int], None] | None = None) -> Recipe:
    """Make the recipe of a dataset: template, identities and poses, the same for the same settings.

    Args:
        settings: sizes and seed.
        progress: called with (poses accepted, poses wanted) as the work goes on.

    Raises:
        ReposeError: no closed mesh of that many vertices, or too few poses free of self-intersection.
    """
    _load_anny()
    from repose.synthetic.open_human.generation import generate_recipe

    return generate_recipe(settings, progress or (lambda done, total: None))


def finer(recipe: Recipe, vertices: int) -> Recipe:
    """The identities and poses of a recipe on a mesh of another vertex count.

    A pose that suits the mesh of the recipe may touch itself on another one.

    Raises:
        ReposeError: no closed mesh of that many vertices.
    """
    _load_anny()
    from repose.synthetic.open_human.generation import finer_recipe

    return finer_recipe(recipe, vertices)


def _load_anny() -> None:
    print("raw open-human: loading Anny", file=sys.stderr, flush=True)
    import warp  # torch, warp and Anny take seconds to import

    warp.config.log_level = warp.LOG_ERROR  # its banner would stand in every log
