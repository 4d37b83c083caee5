"""The raw meshes of a recipe of bodies: of dataset `open-human`, and of `open-npt`."""

from pathlib import Path

from repose.raw.settings import GeneratedBodies
from repose.synthetic.open_human.posing import meshes
from repose.synthetic.open_human.recipe import Recipe
from repose.synthetic.recipe import RecipeSource


def open_source(dataset: GeneratedBodies, raw: Path) -> RecipeSource:
    """The bodies of the recipe `raw`; see `repose.raw.settings.Dataset`."""
    return RecipeSource(dataset.source, dataset.entry.licence, Recipe, meshes, raw)
