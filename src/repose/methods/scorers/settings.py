"""Settings of the classifiers that score images."""

from typing import ClassVar, Literal

from pydantic import Field

from repose.medium import Medium
from repose.methods.settings import LearnedMethod, Schedule


class RenderScorerSettings(LearnedMethod):
    """A classifier of bodies in renders, which scores generated poses; a table names it as its `scorer`."""

    compared: ClassVar[bool] = False
    scores: ClassVar[Literal["images", "renders"] | None] = "renders"
    network: ClassVar[str] = "repose.methods.scorers.render_scorer:RenderScorer"
    recipe: ClassVar[str | None] = "repose.methods.scorers.render_scorer_recipe:RenderScorerRecipe"

    architecture: Literal["render-scorer"]
    training: Schedule = Field(description="optimiser, schedule and length")


class ImageScorerSettings(LearnedMethod):
    """A classifier of clothes, which scores generated images; a dataset names it as its `scorer`."""

    medium: ClassVar[Medium] = "images"
    compared: ClassVar[bool] = False
    scores: ClassVar[Literal["images", "renders"] | None] = "images"
    network: ClassVar[str] = "repose.methods.scorers.image_scorer:ImageScorer"
    recipe: ClassVar[str | None] = "repose.methods.scorers.image_scorer_recipe:ImageScorerRecipe"

    architecture: Literal["image-scorer"]
    training: Schedule = Field(description="optimiser, schedule and length")
