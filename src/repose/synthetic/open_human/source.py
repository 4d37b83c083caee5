"""The raw meshes of dataset `open-human`."""

from pathlib import Path

from repose.synthetic.open_human.posing import meshes
from repose.synthetic.open_human.recipe import Recipe
from repose.synthetic.open_human.settings import OpenHuman
from repose.synthetic.recipe import RecipeSource


def open_source(dataset: OpenHuman, raw: Path) -> RecipeSource:
    """The bodies of the recipe `raw`; see `repose.raw.settings.Dataset`."""
    return RecipeSource(dataset.source, dataset.entry.licence, Recipe.read, meshes, raw)
