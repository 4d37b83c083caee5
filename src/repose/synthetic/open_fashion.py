"""Dataset `open-fashion`: people in a studio, in the manner of DeepFashion's In-shop photos."""

import numpy as np

from repose.synthetic.open_human.recipe import Recipe
from repose.synthetic.rendered.draw import Manner, Settings, draw_recipe
from repose.synthetic.rendered.recipe import ImageRecipe
from repose.synthetic.rendered.source import open_images as open_images


def _yaw(rng: np.random.Generator) -> float:
    """Mostly from the front, often half from the side, at times from the side or the back."""
    centre = rng.choice([0, -40, 40, -90, 90, 180], p=[0.46, 0.13, 0.13, 0.06, 0.06, 0.16])
    return float(centre + rng.normal(0, 12))


MANNER = Manner(
    background="studio",
    yaw=_yaw,
    upper=0.3,
    session=True,
    pitch=(-3, 8),
    fill=(0.9, 0.98),
    light=(-60, 60),
    elevation=(20, 60),
    ambient=(0.55, 0.75),
    tint=0.015,
)


def draw(bodies: Recipe, settings: Settings) -> ImageRecipe:
    """The recipe of a dataset."""
    return draw_recipe(bodies, settings, MANNER)
