"""How a set of images is photographed. Imports nothing slow: Snakemake reads it at every start."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from numpy.random import Generator


@dataclass(frozen=True)
class Manner:
    """How a set is photographed.

    Attributes:
        background: `studio` or `street`.
        yaw: draws where the camera stands around the person, in degrees; 0 is the front, 90 the left side of the body.
        upper: share of images that leave the legs out.
        session: whether all images of an outfit have one light and one wall behind.
        pitch, fill, light, elevation, ambient, tint: ranges of what is drawn evenly; see
            `repose.synthetic.rendered.recipe.Shot`.
    """

    background: Literal["studio", "street"]
    yaw: "Callable[[Generator], float]"
    upper: float
    session: bool
    pitch: tuple[float, float]
    fill: tuple[float, float]
    light: tuple[float, float]
    elevation: tuple[float, float]
    ambient: tuple[float, float]
    tint: float
