"""The raw meshes of a recipe of bodies, for the datasets `open-human` and `open-npt`."""

from pathlib import Path

from repose.raw.settings import GeneratedBodies
from repose.synthetic.open_human.posing import meshes
from repose.synthetic.open_human.recipe import Recipe
from repose.synthetic.recipe import RecipeSource


def open_source(dataset: GeneratedBodies, raw: Path) -> RecipeSource:
    """Open the bodies of the recipe `raw`; see `repose.raw.settings.Dataset`."""
    return RecipeSource(dataset.source, dataset.entry.licence, Recipe, meshes, raw)
