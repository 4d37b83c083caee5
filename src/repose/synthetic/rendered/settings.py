"""The settings of rendered images. It imports nothing slow, as Snakemake reads it at every start."""

from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, PositiveInt, field_validator

from repose.errors import ReposeError
from repose.raw.settings import Generated, ImageSet, Parts
from repose.section import Name
from repose.synthetic.rendered.manner import Manner


class Rendered(ImageSet, Generated):
    """People rendered in clothes, with exact flow between any two images of an outfit.

    Attributes:
        manner: photographic style of the images.
    """

    manner: ClassVar[Manner]
    generator: ClassVar[str] = "repose.synthetic.rendered.draw"
    reader: ClassVar[str] = "repose.synthetic.rendered.source"

    bodies: Name = Field("open-human", description="the open-human dataset whose people and poses are shown")
    vertices: int = Field(
        6890,
        ge=300,
        le=12_000,
        description=("number of vertices of the bodies, whatever the number in `bodies`"),
    )
    height: PositiveInt = Field(description="height of an image in pixels")
    width: PositiveInt = Field(description="width of an image in pixels")
    samples: PositiveInt = Field(3, description="rays per side of a pixel; an odd number")
    identities: Parts = Field(
        Parts(train=28, val=4, test=6),
        description=(
            "numbers of people from `bodies` in each part; the first go to train, the next to val, the "
            "last to test"
        ),
    )
    poses: Parts = Field(
        Parts(train=150, val=10, test=20),
        description=("numbers of poses from `bodies` in each part, in the same way"),
    )
    outfits: PositiveInt = Field(2, description="outfits of each person")
    images: PositiveInt = Field(6, description="images of each outfit")
    cameras: PositiveInt
    scorer: Name | None = Field(
        None,
        description=(
            "method of architecture image-scorer, trained on this dataset with seed 0, that scores "
            "generated images; null: no RenderIS and no RenderAttrRec"
        ),
    )

    @field_validator("samples")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("an odd number has a ray at the centre of the pixel")
        return value

    def raw_settings(self) -> dict[str, Any]:
        """Return what the images depend on besides the bodies, without pairs and scorer."""
        return self.model_dump(mode="json", exclude={"pairs", "scorer"})

    def generate(self, bodies: Path | None = None) -> Any:
        """Draw the recipe, see `repose.raw.settings.Generated`.

        Raises:
            ReposeError: no bodies are named, or there are fewer bodies or poses than the settings ask for.
        """
        if bodies is None:
            raise ReposeError(f"{self.source} shows bodies of another dataset", hint="name it with `bodies:`")
        from repose.synthetic.open_human.recipe import Recipe

        return import_module(self.generator).draw_recipe(Recipe.read(bodies), self)

    def describe(self, recipe: Any) -> dict[str, int]:
        """Return the counts in a recipe, see `repose.raw.settings.Generated`."""
        return {"images": len(recipe.shots), "outfits": len(recipe.outfits)}
