"""Which examples a step of a training takes, as a pure function of seed and step, and batches made ahead."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import IterableDataset

AHEAD = 2  # batches: one is copied to the device while the next is made


class Ahead(IterableDataset[Any]):
    """The batches of a stream, made by a thread while a GPU computes those before.

    A batch is a function of seed and step alone, so nothing depends on when it is made. On a CPU the training itself
    has work for every core, and there is nothing to gain.
    """

    def __init__(self, stream: Any):
        self.stream = stream

    def __len__(self) -> int:
        return len(self.stream)

    def __iter__(self) -> Iterator[Any]:
        with ThreadPoolExecutor(1) as thread:
            batches = iter(self.stream)
            coming = deque(thread.submit(next, batches, None) for _ in range(AHEAD))
            while (batch := coming.popleft().result()) is not None:
                coming.append(thread.submit(next, batches, None))
                yield batch


def chosen_in_passes(total: int, size: int, seed: int, step: int) -> NDArray[np.integer]:
    """Which `size` of `total` examples a step takes: passes over all of them, each in a new order."""
    passes, places = np.divmod(np.arange(step * size, (step + 1) * size), total)
    return np.array([_order(total, seed, int(p))[place] for p, place in zip(passes, places, strict=True)])


@lru_cache(maxsize=2)  # a step may reach into the next pass; 800,000 triples take 8 ms to order anew
def _order(total: int, seed: int, number: int) -> NDArray[np.integer]:
    """The order of one pass; nobody may change it."""
    order = np.random.default_rng([seed, 0, number]).permutation(total)
    order.flags.writeable = False
    return order
