"""Tables of images."""

import numpy as np
import pandas as pd
import pytest

from repose.tables.bootstrap import half_width95
from repose.tables.images import COLUMNS, over_outfits, views
from repose.tables.images import table as image_table
from repose.tables.runs import Run, interval95
from repose.tables.shown import markdown


def run(method, values, flow=None, seed=0):
    """Scores of pairs, each of another person."""
    rows = [("unseen", f"a{i}", f"b{i}", "ssim_u7", v) for i, v in enumerate(values)]
    rows += [("unseen", f"a{i}", f"b{i}", "epe_px", v) for i, v in enumerate(flow or [])]
    scores = pd.DataFrame(rows, columns=["protocol", "source_image", "target_image", "metric", "value"])
    return Run("open-fashion", method, f"run{seed}", scores, 7, 10.0 + seed, None)


def over_each(values):
    """The interval over as many people as there are values."""
    return half_width95(pd.Series(values), [pd.Series(range(len(values)))])


def test_means_and_intervals_over_seeds_and_pairs():
    table = image_table([run("flow-full", [0.5, 0.7], [1, 3]), run("flow-full", [0.6, 0.8], [1, 3], 1)])
    assert list(table.columns) == COLUMNS and len(table) == 1
    row = table.iloc[0]
    assert (row.pairs, row.seeds, row.run_ids, row.train_seconds) == (2, 2, "run0;run1", 10.5)
    assert row.ssim_u7 == pytest.approx(0.65) and row.epe_px == 2
    assert row.ssim_u7_ci95 == pytest.approx(interval95(np.array([0.6, 0.7])), rel=1e-5)
    assert row.ssim_u7_pairs_ci95 == pytest.approx(over_each([0.55, 0.75]), rel=1e-5)
    assert pd.isna(row.psnr_db) and pd.isna(row.visibility_iou)


def test_what_a_method_does_not_predict_is_a_dash():
    lines = markdown(
        views(image_table([run("real-data", [1, 1]), run("flow-full", [0.5, 0.7], [1, 3])]))
    ).splitlines()
    assert lines[0].endswith("SSIM (7×7) | gain | EPE (px) | train (s) |")  # what no method has is left out
    assert lines[2] == "| open-fashion | real-data | unseen | inputs | 1 | 0 | – | 10 |"
    assert "| 0.6 ± " in lines[3] and "| -0.4 ± " in lines[3] and "| 2 |" in lines[3]


def test_a_gain_is_over_the_first_method_pair_by_pair():
    table = image_table([run("copy-source", [0.2, 0.6]), run("flow-full", [0.3, 0.8])])
    assert table.ssim_u7_gain.tolist() == pytest.approx([0, 0.15])
    assert table.ssim_u7_gain_ci95[1] == pytest.approx(over_each([0.1, 0.2]), rel=1e-5)


def test_pairs_of_one_outfit_do_not_count_as_many():
    """All pairs of four images of each of ten people, who alone decide the value."""
    people, names = (
        np.random.default_rng(0).normal(size=10),
        [f"{a}{b}" for a in "wxyz" for b in "wxyz" if a != b],
    )
    values = {(f"{i}{name[0]}", f"{i}{name[1]}"): value for i, value in enumerate(people) for name in names}
    by_pair = pd.Series(values).rename_axis(["source_image", "target_image"])
    assert over_outfits(by_pair) == pytest.approx(over_each(people), rel=1e-9)
    assert over_outfits(by_pair.sample(frac=1, random_state=1)) == pytest.approx(over_each(people), rel=1e-9)
    assert np.isnan(over_outfits(by_pair.head(len(names)))) and np.isnan(over_outfits(by_pair.head(0)))


def test_an_inception_score_is_the_exponential_of_the_mean():
    one = run("flow-full", [0.5, 0.7])
    one.scores.loc[:, "metric"] = "render_is_nats"
    assert image_table([one]).render_is[0] == pytest.approx(np.exp(0.6), rel=1e-5)
