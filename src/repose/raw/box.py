"""One similarity per identity: its template's box is centred at 0 and gets a longest side of 1."""

from dataclasses import dataclass

import numpy as np

from repose.errors import MeshError


@dataclass(frozen=True)
class Similarity:
    """Moves a centre to 0 and divides by a side: x → (x - centre) / side."""

    centre: np.ndarray  # (3,)
    side: float

    def __call__(
        self,
        vertices: np.ndarray,  # (..., 3)
    ) -> np.ndarray:
        """The points (..., 3), moved and scaled; their unit is `side` now."""
        return (vertices - self.centre) / self.side


def unit_box(
    template: np.ndarray,  # (V, 3)
) -> Similarity:
    """The similarity that a template asks for; apply it to all poses of the identity.

    Raises:
        MeshError: the template is a point, or not finite.
    """
    points = np.asarray(template, np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    side = float((high - low).max())
    if not 0 < side < np.inf:
        raise MeshError(f"the template's box has a longest side of {side}")
    return Similarity((low + high) / 2, side)
