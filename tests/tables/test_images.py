"""Tables of images."""

import numpy as np
import pandas as pd
import pytest

from repose.tables.images import COLUMNS, image_table, markdown
from repose.tables.transfer import Run, interval95


def run(method, values, flow=None, seed=0):
    rows = [("unseen", f"a{i}", "b", "ssim_u7", v) for i, v in enumerate(values)]
    rows += [("unseen", f"a{i}", "b", "epe_px", v) for i, v in enumerate(flow or [])]
    scores = pd.DataFrame(rows, columns=["protocol", "source_image", "target_image", "metric", "value"])
    return Run("open-fashion", method, f"run{seed}", scores, 7, 10.0 + seed, None)


def test_means_and_intervals_over_seeds_and_pairs():
    table = image_table([run("flow-full", [0.5, 0.7], [1, 3]), run("flow-full", [0.6, 0.8], [1, 3], 1)])
    assert list(table.columns) == COLUMNS and len(table) == 1
    row = table.iloc[0]
    assert (row.pairs, row.seeds, row.run_ids, row.train_seconds) == (2, 2, "run0;run1", 10.5)
    assert row.ssim_u7 == pytest.approx(0.65) and row.epe_px == 2
    assert row.ssim_u7_ci95 == pytest.approx(interval95(np.array([0.6, 0.7])), rel=1e-5)
    assert row.ssim_u7_pairs_ci95 == pytest.approx(interval95(np.array([0.55, 0.75])), rel=1e-5)
    assert pd.isna(row.psnr_db) and pd.isna(row.visibility_iou)


def test_what_a_method_does_not_predict_is_a_dash():
    lines = markdown(
        image_table([run("real-data", [1, 1]), run("flow-full", [0.5, 0.7], [1, 3])])
    ).splitlines()
    assert lines[2].startswith("| open-fashion | real-data | unseen | 1 ± 0 | – | – | – | – |")
    assert "| 0.6 ± " in lines[3] and "| 2 |" in lines[3]
