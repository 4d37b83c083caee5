"""Intervals of means over items that share identities, poses and seeds."""

import numpy as np
import pandas as pd
import pytest

from repose.tables.bootstrap import half_width95


def test_of_one_level_with_an_item_each_it_is_the_normal_interval():
    values = pd.Series(np.random.default_rng(0).normal(size=400))
    found = half_width95(values, [pd.Series(range(400))])
    assert found == pytest.approx(1.96 * values.std() / 20, rel=0.05)


def grid(effects, poses=40):
    """Values that only their identity decides."""
    identity = np.repeat(np.arange(len(effects)), poses)
    return (
        pd.Series(np.asarray(effects)[identity]),
        pd.Series(identity),
        pd.Series(np.tile(range(poses), len(effects))),
    )


def test_items_of_one_identity_do_not_count_as_many():
    effects = np.random.default_rng(1).normal(size=10)
    values, identity, pose = grid(effects)
    many, few = half_width95(values, [pd.Series(range(400))]), half_width95(values, [identity, pose])
    assert few == pytest.approx(1.96 * effects.std() / np.sqrt(10), rel=0.15) and few > 4 * many


def test_equal_values_have_no_width_and_one_of_each_level_none_that_is_known():
    values, identity, pose = grid([3.0, 3.0])
    assert half_width95(values, [identity, pose]) == 0
    assert np.isnan(half_width95(values[:1], [identity[:1], pose[:1]]))


def test_it_depends_neither_on_the_order_of_the_items_nor_on_the_run():
    values, identity, pose = grid([1.0, 2.0, 5.0])
    other = np.random.default_rng(2).permutation(len(values))
    found = half_width95(values, [identity, pose])
    assert half_width95(values[other], [identity[other], pose[other]]) == pytest.approx(found, rel=1e-12)
