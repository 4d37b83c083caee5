"""The convention of GIH matrices: the meaning and unit of their values, and the time of the heat flow."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from repose.errors import ReposeError

RELEASED_T = 0.1
"""Square metres: the absolute time in the released code of LIMP and of the published system."""

AREA_EPSILON = 1e-6
"""Square metres that the published code adds to doubled areas."""

GRADIENT_EPSILON = 1e-12
"""What it adds to the squared gradients that it normalises."""


@dataclass(frozen=True)
class Settings:
    """The convention of a GIH matrix.

    Attributes:
        convention: "metres": values are distances in metres. "released": values are those of the published code, up to
            rounding: t = 0.1 m² unless given, and twice the distance (its gradient is halved and its divergence
            doubled, which would cancel only without the normalisation in between), with the constants that
            :mod:`repose.gih.released` describes.
        t: time of the heat flow in square metres; None means the squared mean edge length.
    """

    convention: Literal["metres", "released"] = "metres"
    t: float | None = None

    def __post_init__(self) -> None:
        if self.convention not in ("metres", "released"):
            raise ReposeError(f"unknown GIH convention {self.convention!r}", hint="metres or released")
        if self.t is not None and not (np.isfinite(self.t) and self.t > 0):
            raise ReposeError(f"the heat flow time t is {self.t}", hint="a positive number of square metres")

    @property
    def is_released(self) -> bool:
        """Whether values are those of the published code."""
        return self.convention == "released"

    @property
    def time(self) -> float | None:
        """The time of the heat flow in square metres; None means h²."""
        return RELEASED_T if self.t is None and self.is_released else self.t

    @property
    def factor(self) -> float:
        """Return how many units of a stored value make one metre."""
        return 2.0 if self.is_released else 1.0

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as a dict for attributes and content keys."""
        return asdict(self)


METRES = Settings()
"""True distances in metres, t = h²: the default."""
