"""The tables of metrics: every row is whole, can be computed, and is told apart from the others."""

import inspect
import subprocess
import sys
from pkgutil import resolve_name

import pandas as pd
import pytest

from repose import specs
from repose.errors import ReposeError
from repose.metrics import images, meshes, poses, renders
from repose.metrics.metric import Metric, measured
from repose.score.images import GeneratedImages
from repose.score.meshes import Transfers
from repose.score.poses import GeneratedPoses
from repose.score.renders import Renders
from repose.tables import images as image_tables
from repose.tables import meshes as mesh_tables
from repose.tables import poses as pose_tables

SAMPLES = {meshes: Transfers, images: GeneratedImages, poses: GeneratedPoses, renders: Renders}
ROWS = [(table, metric) for table in SAMPLES for metric in table.METRICS]
UNITS = {"m2": "m²", "mm": "mm", "px": "px", "db": "dB", "nats": "nats"}
PMD = meshes.METRICS[0]


@pytest.mark.parametrize(("table", "metric"), ROWS, ids=lambda v: getattr(v, "name", "") or v.__name__)
def test_a_row_names_a_function_its_arguments_and_the_unit(table, metric):
    quantities = {name for name in dir(SAMPLES[table]) if not name.startswith("_")}
    quantities |= {n for n in inspect.getsource(SAMPLES[table].__init__).split() if n.startswith("self.")}
    assert set(metric.of) <= {name.removeprefix("self.") for name in quantities}
    inspect.signature(resolve_name(metric.function)).bind(*metric.of, **metric.options)
    assert metric.unit == UNITS.get(metric.name.rpartition("_")[2], "")


@pytest.mark.parametrize("table", [mesh_tables, image_tables, pose_tables])
def test_names_columns_and_headings_of_a_table_are_its_own(table):
    for values in ([m.name for m in table.METRICS], [m.heading for m in table.METRICS], table.COLUMNS):
        assert len(values) == len(set(values))
    assert {metric.column for metric in table.METRICS} <= set(table.COLUMNS)


def test_what_transfers_and_generated_poses_share_is_shown_alike():
    shared = {m.name: m for m in meshes.METRICS}.keys() & {m.name: m for m in poses.METRICS}.keys()
    assert shared == {"edge_error"}
    one, other = ([m for m in table.METRICS if m.name == "edge_error"] for table in (meshes, poses))
    for field in ("title", "unit", "column", "factor", "better", "shown_in"):
        assert getattr(one[0], field) == getattr(other[0], field)


def test_tables_and_rows_import_no_torch():
    code = (
        "import sys, repose.tables.images, repose.tables.meshes, repose.tables.poses; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("medium", ["meshes", "images", "poses"])
def test_the_code_behind_scores_holds_what_rows_only_name(medium):
    table = {"meshes": meshes, "images": images, "poses": poses}[medium]
    named = {metric.function.partition(":")[0] for metric in table.METRICS}
    assert named <= set(specs.score(medium).modules)
    assert "repose.images.sets" in specs.score_renders(medium).modules


def test_a_heading_has_the_unit_of_what_is_shown():
    assert PMD.heading == "PMD (1e-4 m²)"
    assert {m.heading for m in images.METRICS} >= {"PSNR (dB)", "SSIM (7×7)", "RenderIS"}


def test_a_number_is_the_mean_in_the_unit_of_the_table():
    scores = pd.DataFrame({"metric": ["pmd_m2", "pmd_m2", "cd_m2"], "value": [1e-3, 3e-3, 9.0]})
    assert PMD.number(scores) == pytest.approx(20)
    assert pd.isna(PMD.number(scores[scores.metric == "cd_m2"]))


@pytest.mark.parametrize(
    ("better", "before", "after", "improved"),
    [
        ("lower", 2, 1, True), ("lower", 1, 2, False), ("higher", 1, 2, True), ("lower", 1, 1, None),
        ("near 1/2", 0.9, 0.3, True), ("near 1/2", 0.4, 1.0, False), ("neither", 1, 2, None),
    ],
)  # fmt: skip
def test_a_row_says_which_of_two_numbers_is_better(better, before, after, improved):
    assert Metric("x", "X", "math:sqrt", ("x",), better).is_improved(before, after) is improved


def test_a_quantity_that_is_none_gives_no_score_and_one_that_is_nowhere_is_an_error():
    class Sample:
        there, missing = 4, None

    root, nothing = (Metric(n, n, "math:sqrt", (n,), "lower") for n in ("there", "missing"))
    assert measured([root, nothing], Sample()) == {"there": 2}
    with pytest.raises(
        ReposeError, match=r"metric 'x': Sample have no 'elsewhere' \(hint: they have missing, t"
    ):
        measured([Metric("x", "X", "math:sqrt", ("elsewhere",), "lower")], Sample())
