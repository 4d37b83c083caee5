"""The raw meshes of dataset `open-animal`."""

from pathlib import Path

from repose.synthetic.open_animal.posing import meshes
from repose.synthetic.open_animal.recipe import Recipe
from repose.synthetic.open_animal.settings import OpenAnimal
from repose.synthetic.recipe import RecipeSource


def open_source(dataset: OpenAnimal, raw: Path) -> RecipeSource:
    """Open the bodies of the recipe `raw`; see `repose.raw.settings.Dataset`."""
    return RecipeSource(dataset.source, dataset.entry.licence, Recipe, meshes, raw)
