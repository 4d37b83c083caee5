"""The raw meshes of dataset ``open-animal``."""

from pathlib import Path

from repose.config.datasets import OpenAnimal
from repose.synthetic.open_animal.posing import meshes
from repose.synthetic.open_animal.recipe import Recipe
from repose.synthetic.recipe import RecipeSource

LICENCE = "MIT"  # that of this package, which draws the animals


def open_source(dataset: OpenAnimal, raw: Path) -> RecipeSource:
    """See `repose.raw.source.open_source`; `raw` is the recipe."""
    return RecipeSource(dataset.source, LICENCE, Recipe.read, meshes, raw)
