"""Dataset `open-market`: passers-by seen by several cameras, in the manner of Market-1501."""

from repose.synthetic.open_human.recipe import Recipe
from repose.synthetic.rendered.draw import Manner, Settings, draw_recipe
from repose.synthetic.rendered.recipe import ImageRecipe
from repose.synthetic.rendered.source import open_images as open_images

MANNER = Manner(
    background="street",
    yaw=lambda rng: float(rng.uniform(-180, 180)),
    upper=0.0,
    session=False,
    pitch=(2, 16),
    fill=(0.86, 0.98),
    light=(-150, 150),
    elevation=(25, 70),
    ambient=(0.4, 0.75),
    tint=0.04,
)


def draw(bodies: Recipe, settings: Settings) -> ImageRecipe:
    """The recipe of a dataset."""
    return draw_recipe(bodies, settings, MANNER)
