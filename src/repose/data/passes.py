"""Batches, which examples a step of a training takes, as a pure function of seed and step, and batches made ahead."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import IterableDataset

AHEAD = 2  # batches: one is copied to the device while the next is made

T = TypeVar("T")


class Batches(IterableDataset[T]):
    """Batches, each a function of its number alone, so that a resumed training sees what it would have seen.

    Args:
        numbers: of the batches: steps of a training, for one.
        make: gives the batch of a number.
    """

    def __init__(self, numbers: range, make: Callable[[int], T]):
        self.numbers, self.make = numbers, make

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[T]:
        return map(self.make, self.numbers)


def in_passes(
    read: Callable[[NDArray[np.integer], np.random.Generator], T],
    total: int,
    size: int,
    seed: int,
    steps: range,
) -> Batches[T]:
    """Batches of steps of a training: passes over all examples, each pass in a new order.

    Args:
        read: gives the examples of some numbers, by random numbers of their step.
        total, size: how many examples there are, and how many a step takes.
        seed: fixes orders and random numbers.
        steps: of the training.
    """

    def batch(step: int) -> T:
        chosen = chosen_in_passes(total, size, seed, step)
        return read(chosen, np.random.default_rng([seed, 1, step]))

    return Batches(steps, batch)


def in_order(read: Callable[[NDArray[np.integer]], T], total: int, size: int) -> Batches[T]:
    """All examples once, in order."""
    starts = range(0, total, size)
    return Batches(starts, lambda start: read(np.arange(start, min(start + size, total))))


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
