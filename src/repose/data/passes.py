"""Which examples a step of a training takes, as a pure function of seed and step."""

import numpy as np
from numpy.typing import NDArray


def chosen_in_passes(total: int, size: int, seed: int, step: int) -> NDArray[np.integer]:
    """Which `size` of `total` examples a step takes: passes over all of them, each in a new order."""
    passes, places = np.divmod(np.arange(step * size, (step + 1) * size), total)
    orders = {int(p): np.random.default_rng([seed, 0, int(p)]).permutation(total) for p in np.unique(passes)}
    return np.array([orders[int(p)][place] for p, place in zip(passes, places, strict=True)])
