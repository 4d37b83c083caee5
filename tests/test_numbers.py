"""Numbers and ranges of numbers."""

from hypothesis import given
from hypothesis import strategies as st

from repose.numbers import collapse, expand


@given(st.sets(st.integers(0, 60)))
def test_what_is_collapsed_expands_to_the_same(numbers):
    assert expand(collapse(sorted(numbers))) == sorted(numbers)


def test_neighbours_are_one_range():
    assert collapse([0, 2, 3, 5, 6, 7]) == "0,2-3,5-7"
