"""A method of another package: docs/adding.md shows its files, and here they go through the real workflow."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT
from tiny.project import Tiny, bring_files

PACKAGE = ROOT / "tests" / "outside"
METHOD = """\
  offsets:
    architecture: offsets
    width: 16
    training: {steps: 40, batch: 2, learning_rate: 1.0e-2, validate_every: 20}
"""
TABLE = "results/table1.csv"
FILES = ("pyproject.toml", "offsets/settings.py", "offsets/network.py", "offsets/recipe.py")


@pytest.fixture(scope="module")
def outside(outside_packages) -> Path:
    """A copy of the package that a test may edit, as if it were installed."""
    return outside_packages[PACKAGE.name]


@pytest.fixture(scope="module")
def project(tmp_path_factory, outside_jobs) -> Tiny:
    """The tiny workflow with the method, made up to its table."""
    project = Tiny(tmp_path_factory.mktemp("project"), outside_jobs)
    bring_files(project.raw)
    config = project.folder / "config.yaml"
    text = config.read_text().replace("tables:\n", METHOD + "tables:\n")
    config.write_text(text.replace("methods: [npt]", "methods: [offsets]"))
    project.snakemake(TABLE)
    return project


@pytest.fixture(scope="module")
def before(project) -> dict[str, str]:
    """The hashes of the method's code as the page shows it."""
    return codes(project)


def test_it_trains_predicts_and_has_a_row(project):
    (row,) = pd.read_csv(project.folder / TABLE).to_dict("records")
    assert (row["dataset"], row["method"], row["protocol"], row["seeds"]) == ("faust", "offsets", "unseen", 1)
    assert row["told"] == "truth"
    assert row["parameters"] == 12 * 16 + 16 + 16 * 3 + 3 and row["train_seconds"] > 0
    assert 0 < row["mpve_mm"] < 1000
    curve = pd.read_parquet(project.folder / "results/runs/faust/offsets/seed0/history.parquet")
    assert curve.val_pmd_m2.iloc[-1] < curve.val_pmd_m2.iloc[0] / 2, "it learns"


@pytest.mark.parametrize(
    ("module", "old", "new", "changed"),
    [
        ("network", "nn.ReLU()", "nn.Tanh()", ["train", "predict"]),
        ("recipe", ".abs()", ".square()", ["train"]),
        ("network", "# (B, 9)", "# nine numbers", []),
    ],
)
def test_its_code_counts_where_it_runs(project, outside, before, module, old, new, changed):
    with edited(outside / "offsets" / f"{module}.py", old, new):
        after = codes(project)
    assert [stage for stage in before if before[stage] != after[stage]] == changed


def test_an_edit_of_its_network_makes_its_results_again(project, outside):
    with edited(outside / "offsets" / "network.py", "nn.ReLU()", "nn.Tanh()"):
        assert project.planned(TABLE) == {"train": 1, "predict": 1, "score": 1, "tables": 1}
    assert project.planned(TABLE) == {}


def codes(project: Tiny) -> dict[str, str]:
    """The hash of the code of each stage of the method."""
    show = (
        "import json; from pathlib import Path; from repose import specs; from repose.config import load_files;"
        "config = load_files(Path('config.yaml')); method = config.methods['offsets'];"
        "known = specs.train(method, config.compute, 0), specs.predict(method, config.compute);"
        "print(json.dumps({spec.stage: spec.code for spec in known}))"
    )
    return json.loads(project.run(sys.executable, "-c", show).stdout)


@contextmanager
def edited(file: Path, old: str, new: str) -> Iterator[None]:
    """A file with other text in it."""
    before = file.read_text()
    assert old in before
    file.write_text(before.replace(old, new))
    yield
    file.write_text(before)


def test_a_config_that_names_it_where_it_is_not_installed_says_what_is(tmp_path, quick_jobs):
    elsewhere = Tiny(tmp_path, quick_jobs)
    config = tmp_path / "config.yaml"
    text = config.read_text().replace("tables:\n", METHOD + "tables:\n")
    config.write_text(text)
    done = elsewhere.repose("config", "--check", "config.yaml", check=False)
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    number = text[: text.index("architecture: offsets")].count("\n") + 1
    assert f"config.yaml:{number}: methods.offsets: unknown architecture 'offsets'" in line
    assert "installed: canonical, cgt, copy, copy-image" in line and "npt, render-scorer" in line


def test_the_page_shows_the_files_as_they_are():
    page = (ROOT / "docs" / "adding.md").read_text()
    blocks = re.findall(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    assert [name for name, _ in blocks] == [*FILES, "config.yaml"]
    for name, block in blocks[:-1]:
        assert block == (PACKAGE / name).read_text(), name
    assert METHOD in blocks[-1][1]
