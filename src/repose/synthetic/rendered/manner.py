"""The photographic style of a set of images. It imports nothing slow, as Snakemake reads it at every start."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from numpy.random import Generator


@dataclass(frozen=True)
class Manner:
    """The photographic style of a set of images.

    Attributes:
        background: `studio` or `street`.
        yaw: draws the camera's angle around the person, in degrees; 0 is the front, 90 the left side of the body.
        upper: share of images without the legs.
        session: whether all images of an outfit have the same light and background.
        pitch, fill, light, elevation, ambient, tint: ranges of uniform draws; see
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
