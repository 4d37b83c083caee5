from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from repose.tables.meshes import COLUMNS, views
from repose.tables.meshes import table as transfer_table
from repose.tables.runs import Run
from repose.tables.shown import markdown

METRICS = {"pmd_m2": 4e-3, "cd_m2": 8e-3, "mpve_mm": 90.0, "edge_error": 0.2}


def run(method="npt", factor=1.0, dataset="open-human", seconds=60.0):
    rows = [
        (protocol, f"id{k}_0", f"id0_{k}", f"id{k}_{k}", metric, value * factor * (1 + k))
        for protocol in ("unseen", "seen-pose")
        for metric, value in METRICS.items()
        for k in range(3)
    ]
    scores = pd.DataFrame(
        rows, columns=["protocol", "identity_mesh", "pose_mesh", "truth_mesh", "metric", "value"]
    )
    return Run(dataset, method, f"{method}-{factor}", scores, 10, seconds, 500.0)


def test_means_over_triples_then_seeds():
    factors = np.array([1.0, 1.2, 1.1])
    table = transfer_table([run(factor=f) for f in factors])
    assert list(table.columns) == COLUMNS and len(table) == 2
    row = table.iloc[0]
    assert (row.pairs, row.seeds) == (3, 3)
    assert row.pmd_e4 == pytest.approx((factors * 4e-3 * 2 * 1e4).mean(), rel=1e-5)
    assert row.run_ids == "npt-1.0;npt-1.2;npt-1.1"


def test_a_row_has_the_track_of_what_its_method_is_told():
    runs = [replace(run(method), told=told) for method, told in (
        ("npt", ("truth",)), ("copy-pose", ("registration",)), ("npr", ("rest bodies",)), ("oracle", ("answer",)),
    )]  # fmt: skip
    table = transfer_table(runs)
    unseen = table[table.protocol == "unseen"]
    assert dict(zip(unseen.method, unseen.track, strict=True)) == {
        "npt": "P", "copy-pose": "PC", "npr": "R", "oracle": "oracle",
    }  # fmt: skip
    shown = runs[2].scores.assign(protocol="one-source")
    assert set(transfer_table([replace(runs[2], scores=shown)]).track) == {"S"}


def test_one_seed_has_an_interval_over_identities_and_poses():
    row = transfer_table([run()]).iloc[0]
    assert row.pmd_e4 == pytest.approx(80) and 0 < row.pmd_e4_ci95 < 80


def test_the_gain_over_copying_the_pose_is_of_the_same_triples():
    runs = [run("copy-pose", 2.0), run("npt"), run("npt", 1.5), run("npt", dataset="open-animal")]
    table = transfer_table(runs).set_index(["dataset", "method", "protocol"])
    assert table.pmd_e4_gain["open-human", "npt", "unseen"] == pytest.approx(160 - 100)
    assert table.pmd_e4_gain_ci95["open-human", "copy-pose", "unseen"] == 0
    assert np.isnan(table.pmd_e4_gain["open-animal", "npt", "unseen"]), "that dataset has no such row"
    assert "gain" in markdown(views(transfer_table(runs))) and "gain" not in markdown(
        views(transfer_table([run()]))
    )


def test_rows_keep_the_order_of_methods_and_protocols():
    table = transfer_table([run("copy-pose"), run("npt"), run("npt", 2.0)])
    assert list(zip(table.method, table.protocol, strict=True)) == [
        ("copy-pose", "unseen"),
        ("copy-pose", "seen-pose"),
        ("npt", "unseen"),
        ("npt", "seen-pose"),
    ]


def test_a_row_says_what_its_method_was_told():
    runs = [run("copy-identity"), replace(run("copy-pose"), told=["registration"])]
    runs.append(replace(run("mine"), told=["rest bodies", "truth"]))
    table = transfer_table(runs)
    assert table.told.tolist()[::2] == ["inputs", "registration", "rest bodies, truth"]
    assert "| mine | unseen | rest bodies, truth |" in markdown(views(table))


def test_a_published_number_stands_only_where_it_was_reported():
    table = transfer_table([run("corenet", dataset="smpl-npt"), run("corenet")])
    reported = table.set_index(["dataset", "protocol"]).reported_pmd_e4
    assert reported["smpl-npt", "unseen"] == 0.8
    assert reported.drop(("smpl-npt", "unseen")).isna().all()


def test_a_method_without_training_has_no_seconds():
    baseline = run("copy-pose")
    table = transfer_table(
        [Run(baseline.dataset, baseline.method, baseline.run_id, baseline.scores, 0, None, None)]
    )
    assert table.train_seconds.isna().all() and "| – |" in markdown(views(table))


def test_seconds_of_a_prediction_and_its_memory_are_means_over_seeds():
    runs = [replace(run(factor=f), predict_seconds=f / 100, predict_memory_mib=500 * f) for f in (1.0, 2.0)]
    table = transfer_table(runs)
    assert table.predict_seconds.tolist() == [0.015] * 2 and table.predict_memory_mib.tolist() == [750] * 2
    assert markdown(views(table)).splitlines()[2].endswith("| 60 | 0.015 | 750 |")


def test_markdown_shows_every_row():
    table = transfer_table([run(factor=f) for f in (1.0, 2.0)])
    text = markdown(views(table))
    assert text.count("| open-human |") == 2 and "±" in text
