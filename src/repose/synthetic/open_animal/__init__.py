"""Dataset ``open-animal``: synthetic four-legged animals of many builds in one shared bank of poses.

Nothing is fetched and nothing is licensed: the animals are swept from a few lengths per species (see
`anatomy`), wrapped with one closed triangle mesh (`shape`), and posed by linear blend skinning (`skin`).
Every identity exists in every pose, so each pose transfer has an exact truth.

    recipe = generate(Settings(vertices=1200, identities=16, poses=80, seed=0))
    recipe.write(path)
    vertices = meshes(Recipe.read(path), identity=3, poses=[0, 1, 2])    # (3, 1200, 3) float32
"""

from __future__ import annotations

from collections.abc import Callable

from repose.synthetic.open_animal.posing import meshes
from repose.synthetic.open_animal.recipe import Recipe, Settings
from repose.synthetic.open_animal.source import LICENCE

__all__ = ["LICENCE", "Recipe", "Settings", "generate", "meshes"]


def generate(settings: Settings, progress: Callable[[int, int], None] | None = None) -> Recipe:
    """Make the recipe of a dataset: template, identities and poses, the same for the same settings.

    Args:
        settings: sizes and seed.
        progress: called with (poses accepted, poses wanted) as the work goes on.

    Raises:
        ReposeError: no closed mesh of that many vertices, or too few poses free of self-intersection.
    """
    from repose.synthetic.open_animal.generation import (
        generate_recipe,  # compiles; readers need not wait for it
    )

    return generate_recipe(settings, progress or (lambda done, total: None))
