"""Batches made ahead are those of the stream, in its order, and end as it does."""

import pytest
from torch.utils.data import DataLoader

from repose.data.batches import Prefetched


class Stream:
    """Squares of some numbers; one of them cannot be made."""

    def __init__(self, count, bad=None):
        self.count, self.bad = count, bad

    def __len__(self):
        return self.count

    def __iter__(self):
        for number in range(self.count):
            if number == self.bad:
                raise ValueError(f"no batch {number}")
            yield number**2


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_the_batches_are_those_of_the_stream(count):
    loader = DataLoader(Prefetched(Stream(count)), batch_size=None)
    assert len(loader) == count
    assert list(loader) == [number**2 for number in range(count)]


def test_an_error_comes_where_its_batch_would():
    batches = iter(Prefetched(Stream(5, bad=3)))
    assert [next(batches) for _ in range(3)] == [0, 1, 4]
    with pytest.raises(ValueError, match="no batch 3"):
        next(batches)
