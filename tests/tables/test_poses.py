"""Tables of transfers and generated poses beside each other."""

import numpy as np
import pandas as pd
import pytest

from repose.metrics.poses import METRICS
from repose.tables.poses import COLUMNS, reported, views
from repose.tables.poses import table as pose_table
from repose.tables.runs import Run, interval95
from repose.tables.shown import markdown
from tests.tables.test_transfer import run as transfer_run


def run(seed=0, method="npr-diffusion", seconds=30.0):
    rows = [
        (protocol, identity, metric.name, 0.1 * (1 + number) * (1 + k) + seed)
        for protocol, bodies in (("own-body", [0]), ("new-body", [2, 3, 4]))
        for k, identity in enumerate(bodies)
        for number, metric in enumerate(METRICS)
    ]
    scores = pd.DataFrame(rows, columns=["protocol", "identity", "metric", "value"])
    return Run("open-human", method, f"run{seed}", scores, 7, seconds, None)


def test_means_over_bodies_then_seeds_beside_transfers():
    table = pose_table([transfer_run("npr"), run(0), run(1)])
    assert list(table.columns) == COLUMNS
    assert table.protocol.tolist() == ["unseen", "seen-pose", "own-body", "new-body"]
    new, transfers = table.iloc[3], table.iloc[0]
    assert (new.bodies, new.seeds, new.run_ids) == (3, 2, "run0;run1")
    assert new.coverage == pytest.approx(0.1 * 2 + 0.5) and new.mmd_e4 == pytest.approx(1e4 * (0.2 * 2 + 0.5))
    assert new.coverage_ci95 == pytest.approx(interval95(np.array([0.2, 1.2])), rel=1e-5)
    assert np.isnan(new.pmd_e4) and np.isnan(transfers.coverage) and transfers.pmd_e4 == pytest.approx(80)


def test_what_a_row_has_not_is_a_dash():
    lines = markdown(views(pose_table([transfer_run("npr"), run(seconds=None)]))).splitlines()
    assert lines[2].startswith("| open-human | npr | unseen | inputs | 80 ± 40 | 0.4 ± 0.2 | – |")
    assert lines[5].startswith("| open-human | npr-diffusion | new-body | inputs | – | 1.4 | 0.2 | ")
    assert lines[5].endswith("| – |")


def test_the_published_tables_stand_below_and_table_2_is_nine_tenths_of_the_means_of_its_cells():
    table = reported()
    second = table[table.table == 2]
    assert len(second) == 6 and table[table.table == 1].accuracy_of_cells.isna().all()
    for metric in ("fid_e2", "kid_e2", "accuracy"):
        assert second[metric].to_numpy() == pytest.approx(
            0.9 * second[f"{metric}_of_cells"].to_numpy(), abs=0.0075
        )
    text = markdown(views(pose_table([run()])))
    assert "| 2 | NPR | generated | animals | 4.22 (4.687) | 2.24 (2.486) | 78.81 (87.56) | – |" in text
    assert "| 1 | NPR | source | SMPL | 0.30 | 0.19 | 79.09 | 0.13 |" in text
