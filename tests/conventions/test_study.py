"""Ranks, τ, swapped pairs and claims, on numbers whose outcome is known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from repose.conventions.known import CONVENTIONS
from repose.conventions.study import List, _medians, between_lists, claims, ranking, swaps, taus
from repose.conventions.text import Study, markdown
from repose.metrics.conventions import METRICS

TRIPLES = pd.DataFrame(
    [(f"id{i}_{p}", i, p) for i in range(4) for p in range(5)], columns=["truth_mesh", "identity", "pose"]
)
# The better one of C0 is far behind under C4; the third has an outlier, which a median does not see.
NUMBERS = {"one": (1.0, 9.0), "two": (2.0, 2.0), "three": (3.0, 3.0), "four": (3.001, 3.001)}


@pytest.fixture(scope="module")
def one():
    draw = np.random.default_rng(0)
    measured = {}
    for name, (usual, rigid) in NUMBERS.items():
        seeds = 2 if name == "two" else 1
        values = {m.name: usual + draw.normal(0, 0.05, (seeds, len(TRIPLES))) for m in METRICS}
        values["rigid_m2"] = rigid + draw.normal(0, 0.05, (seeds, len(TRIPLES)))
        measured[name] = values
    measured["three"]["own_box_m2"][0, 0] -= 50
    return List("bodies", "unseen", TRIPLES, measured)


def test_numbers_are_means_over_what_a_convention_says(one):
    own = one.measured["two"]["own_box_m2"]
    at = one.methods.index("two")
    assert one.values["C0"][at] == pytest.approx(own.mean())
    assert one.values["C6"][at] == pytest.approx(np.median(own, axis=1).mean())
    twice = pd.concat([TRIPLES, TRIPLES.iloc[[0, 0, 1]]], ignore_index=True)
    values = np.arange(len(twice), dtype=float)[None]
    repeated = List("bodies", "unseen", twice, {"a": {m.name: values for m in METRICS}})
    by_truth = pd.Series(values[0]).groupby(twice.truth_mesh.to_numpy()).mean()
    by_identity = pd.Series(values[0]).groupby(twice.identity.to_numpy()).mean()
    assert repeated.values["C16"][0] == pytest.approx(by_truth.mean())
    assert repeated.values["C18"][0] == pytest.approx(by_identity.mean())


def test_a_weighted_median_is_that_of_repeated_values():
    values, draw = np.array([5.0, 1, 4, 2, 9]), np.random.default_rng(0)
    weights = draw.integers(0, 4, (50, 5)) + np.eye(5, dtype=int)[0]
    expected = [np.median(np.repeat(values, row)) for row in weights]
    assert _medians(values, weights.astype(float)) == pytest.approx(expected)


def test_ranks_and_their_intervals(one):
    table = ranking([one]).set_index(["convention", "method"])
    assert list(table.loc["C4"]["rank"]) == [4, 1, 2, 3] and list(table.loc["C6"]["rank"])[:2] == [1, 2]
    assert list(table.loc["C0"]["rank"]) == [2, 3, 1, 4]
    assert tuple(table.loc[("C3", "one"), ["rank_low", "rank_high"]]) == (1, 1)
    low, high = table.loc[("C3", "three"), ["rank_low", "rank_high"]]
    assert (low, high) == (3, 4), "two that hardly differ"
    assert table.loc[("C0", "two"), "seeds"] == 2 and table.loc[("C0", "two"), "pairs"] == 20


def test_tau_is_that_of_the_values(one):
    found = taus([one]).set_index(["convention", "other"]).tau
    assert found[("C0", "C4")] == pytest.approx(
        kendalltau(one.values["C0"], one.values["C4"]).statistic, abs=1e-5
    )
    assert found[("C3", "C5")] >= 2 / 3 and len(found) == len(CONVENTIONS) * (len(CONVENTIONS) - 1) / 2


def test_swapped_pairs_are_clear_only_where_both_intervals_are(one):
    found = swaps([one])
    rigid = found[found.convention == "C4"].set_index(["better", "worse"])
    assert set(rigid.index) == {("one", "two"), ("one", "four"), ("three", "two")}
    assert rigid.clear[("one", "two")] and not rigid.clear[("three", "two")]
    assert rigid.gap[("one", "two")] > 0 > rigid.other_gap[("one", "two")]
    assert rigid.gap_low[("one", "two")] < rigid.gap[("one", "two")] < rigid.gap_high[("one", "two")]


def test_a_claim_holds_under_four_conventions_or_is_a_tie(one):
    found = claims([one]).set_index(["better", "worse"])
    assert found.holds[("two", "four")] and not found.holds[("one", "two")]
    assert found.tied_under[("one", "two")] == "C4" and found.tied_under[("two", "four")] == ""
    assert not found.holds[("three", "four")] and len(found) == 6


def turned_over(one):
    """A list on which the order of the methods is the opposite one."""
    measured = {name: {m: 10 - v for m, v in values.items()} for name, values in one.measured.items()}
    return List(one.dataset, "bent", one.triples, measured)


def test_lists_of_one_dataset_are_compared_under_the_reference(one):
    other = List("others", "unseen", one.triples, one.measured)
    found = between_lists([one, turned_over(one), other]).to_numpy().tolist()
    clear = claims([one])
    clear = sum("C0" not in tied.split(";") for tied in clear.tied_under)
    assert found == [["bodies", "unseen", "bent", -1.0, 6, clear]] and 0 < clear < 6
    assert between_lists([one]).empty


def test_of_one_body_in_one_pose_nothing_is_claimed():
    measured = {
        name: {m.name: np.full((1, 1), value) for m in METRICS} for name, value in (("a", 1.0), ("b", 2.0))
    }
    one = List("bodies", "unseen", TRIPLES.head(1), measured)
    assert not claims([one]).holds.any() and not swaps([one]).clear.any()
    table = ranking([one])
    assert set(table.rank_low) == {1} and set(table.rank_high) == {2} and list(table["rank"][:2]) == [1, 2]


def test_the_page_says_it(one):
    seen = pd.DataFrame(
        [("noise", c.code, c.title, 1.0, "", 1.0) for c in CONVENTIONS[:3]],
        columns=["change", "convention", "title", "value", "unit", "times"],
    ).assign(dataset="bodies")
    lists = between_lists([one, turned_over(one)])
    page = markdown("table1", Study(ranking([one]), taus([one]), swaps([one]), claims([one]), lists, seen))
    assert "- two beats four" in page and "- C4: one falls behind two, four" in page
    assert "| C4 | rigid |" in page and "beats one" not in page
    assert "| bodies | unseen | bent | -1.00 | 6 (3) |" in page
