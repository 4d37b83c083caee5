"""Draw bodies that clearly differ: phenotype values are spread evenly over their ranges."""

import numpy as np

# Height has a narrow triangular distribution, because Anny's slider reaches 1.3 and 2.4 m at its ends; others are
# uniform.
_RANGES = {
    "gender": (0.0, 1.0),
    "age": (0.42, 1.0),
    "muscle": (0.0, 1.0),
    "weight": (0.05, 0.88),
    "proportions": (0.0, 1.0),
}
_HEIGHT = (0.1, 0.42, 0.7)


def draw_identities(rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """Draw phenotypes of `count` bodies, with each slider stratified so that no two bodies share a step of it.

    Returns:
        name -> (count,) float64 in [0, 1].
    """

    def even() -> np.ndarray:
        return (rng.permutation(count) + rng.uniform(size=count)) / count

    values = {name: low + (high - low) * even() for name, (low, high) in _RANGES.items()}
    return values | {"height": _triangular(even(), *_HEIGHT)}


def _triangular(u: np.ndarray, low: float, mode: float, high: float) -> np.ndarray:
    """Return quantiles of the triangular distribution."""
    rising = low + np.sqrt(u * (high - low) * (mode - low))
    falling = high - np.sqrt((1 - u) * (high - low) * (high - mode))
    return np.where(u < (mode - low) / (high - low), rising, falling)
