"""The splits of a set of images that an Inception score is averaged over."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

FASHION_SPLITS = 10


def in_splits(names: Sequence[str], count: int) -> list[NDArray[np.intp]]:
    """Return the positions of the images in each of `count` splits of equal size, in the order of the images' names."""
    order = np.argsort(np.asarray(names, dtype=object), kind="stable")
    cuts = [k * len(order) // count for k in range(count + 1)]
    return [order[start:end] for start, end in pairwise(cuts)]
