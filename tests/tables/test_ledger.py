"""docs/ledger.md is what its generator makes of its data, and the tests that it names hold what it says."""

import ast
import importlib.util
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("ledger", ROOT / "docs" / "ledger" / "ledger.py")
ledger = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(ledger)

NUMBER = {
    "value": "1", "method": "corenet", "protocol": "unseen", "column": "pmd_e4", "factor": "10", "data": "faust",
    "remark": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return ledger.read()


@cache
def tree(path):
    return ast.parse((ROOT / path).read_text())


def function(node):
    """The test that a node id names, as it stands in its file."""
    path, _, name = node.partition("::")
    found = [f for f in tree(path).body if isinstance(f, ast.FunctionDef) and f.name == name]
    assert found, f"there is no {node}"
    return found[0]


def test_the_page_is_what_the_data_give(data):
    assert ledger.PAGE.read_text(encoding="utf-8") == ledger.page(data), "run python docs/ledger/ledger.py"


def test_every_test_that_the_page_names_is_there_and_has_the_figure(data):
    for row in data.parity.itertuples():
        numbers = [n.value for n in ast.walk(function(row.test)) if isinstance(n, ast.Constant)]
        assert float(row.figure) in numbers, row
    tests = [node for node in data.differences.test if node]
    assert len(tests) > 5 and all(function(node) for node in tests)


def test_every_row_is_of_a_known_system_and_known_data(data):
    systems = set(data.systems.system)
    for rows in (data.published, data.parity, data.differences):
        assert set(rows.system) <= systems
    assert set(data.published.data) <= set(data.data.index)
    assert set(data.published.column) <= {*ledger.METRICS, ""}
    without = data.published[(data.published.value == "") | (data.published.column == "")]
    assert (without.remark != "").all(), "why there is no number, or none of ours"


def run(folder, scale, *rows):
    columns = ["dataset", "method", "protocol", "pmd_e4", "pmd_e4_ci95"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / f"{scale}.csv", index=False)


@pytest.mark.parametrize(
    ("value", "width", "status"),
    [
        (9.0, None, "reproduced"),
        (10.0, 0.1, "reproduced"),
        (12.0, 2.5, "reproduced"),
        (12.0, 1.5, "near"),
        (15.0, None, "near"),
        (15.1, 3.0, "not"),
    ],
)
def test_the_status_follows_from_the_numbers(tmp_path, data, value, width, status):
    run(tmp_path, "full", ("faust", "corenet", "unseen", value, width))
    run(tmp_path, "demo", ("faust", "corenet", "unseen", 99.0, 1.0))
    found = ledger.verdict(NUMBER, data.data, ledger.read(tmp_path).ours)
    assert (found.status, found.why) == (status, "by the run of scale full")


def test_numbers_of_open_bodies_are_shown_and_compared_with_nothing(tmp_path, data):
    run(tmp_path, "demo", ("open-human", "corenet", "unseen", 20.0, 3.0))
    run(tmp_path, "demo-ablation", ("open-human", "corenet-no-elain", "unseen", 40.0, None))
    made = ledger.read(tmp_path)
    found = ledger.verdict(NUMBER, made.data, made.ours)
    assert found.status == "not obtainable" and found.why.startswith(
        "not comparable: ours are of open-human; "
    )
    text = ledger.page(made)
    assert "| 0.8 | 20 ± 3 on open-human, not comparable | not run | not run | not obtainable |" in text
    assert "| 0.15 | 4 on open-human, not comparable | not run |" in text
    assert "| demo | `config.yaml` | 2 |" in text


def test_without_a_number_or_a_run_there_is_nothing_to_compare(tmp_path, data):
    for given in ({"value": "", "remark": "not read"}, {"column": "", "remark": "not read"}):
        assert ledger.verdict(NUMBER | given, data.data, data.ours) == ("not obtainable", "not read")
    nothing = ledger.read(tmp_path).ours
    assert list(nothing.values()) == [None, None, None]
    assert ledger.verdict(NUMBER, data.data, nothing) == ("not obtainable", data.data.why["faust"])
