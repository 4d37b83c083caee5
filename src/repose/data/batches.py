"""Batches as a pure function of seed and step, and a thread that prefetches them."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import IterableDataset

PREFETCHED = 2  # batches: one is copied to the device while the next is prepared

T = TypeVar("T")


class Batches(IterableDataset[T]):
    """Batches, each a function of its number alone, so that a resumed training sees the same batches.

    Args:
        numbers: numbers of the batches, such as steps of a training.
        make: returns the batch of a number.
    """

    def __init__(self, numbers: range, make: Callable[[int], T]):
        self.numbers, self.make = numbers, make

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[T]:
        return map(self.make, self.numbers)


def in_epochs(
    read: Callable[[NDArray[np.integer], np.random.Generator], T],
    total: int,
    size: int,
    seed: int,
    steps: range,
) -> Batches[T]:
    """Return the batches of steps of a training: epochs of all examples, each in a new order.

    Args:
        read: returns the examples of some numbers, with random numbers of their step.
        total, size: number of examples, and number of examples per step.
        seed: fixes orders and random numbers.
        steps: steps of the training.
    """

    def batch(step: int) -> T:
        chosen = chosen_in_epochs(total, size, seed, step)
        return read(chosen, np.random.default_rng([seed, 1, step]))

    return Batches(steps, batch)


def in_order(read: Callable[[NDArray[np.integer]], T], total: int, size: int) -> Batches[T]:
    """Return all examples once, in order."""
    starts = range(0, total, size)
    return Batches(starts, lambda start: read(np.arange(start, min(start + size, total))))


class Prefetched(IterableDataset[Any]):
    """The batches of a stream, prepared by a thread while a GPU computes the ones before.

    A batch is a function of seed and step alone, so nothing depends on when it is made. On a CPU there is nothing to
    gain, because the training itself uses every core.
    """

    def __init__(self, stream: Any):
        self.stream = stream

    def __len__(self) -> int:
        return len(self.stream)

    def __iter__(self) -> Iterator[Any]:
        with ThreadPoolExecutor(1) as thread:
            batches = iter(self.stream)
            coming = deque(thread.submit(next, batches, None) for _ in range(PREFETCHED))
            while (batch := coming.popleft().result()) is not None:
                coming.append(thread.submit(next, batches, None))
                yield batch


def chosen_in_epochs(total: int, size: int, seed: int, step: int) -> NDArray[np.integer]:
    """Return which `size` of `total` examples a step takes: epochs of all of them, each in a new order."""
    epochs, places = np.divmod(np.arange(step * size, (step + 1) * size), total)
    return np.array(
        [_order(total, seed, int(epoch))[place] for epoch, place in zip(epochs, places, strict=True)]
    )


@lru_cache(maxsize=2)  # a step may reach into the next epoch; ordering 800,000 triples again takes 8 ms
def _order(total: int, seed: int, number: int) -> NDArray[np.integer]:
    """Return the order of one epoch, which must not be modified."""
    order = np.random.default_rng([seed, 0, number]).permutation(total)
    order.flags.writeable = False
    return order
