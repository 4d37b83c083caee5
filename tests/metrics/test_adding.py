"""A metric is a row: docs/adding.md shows a function and a row, and here a copy of the sources has both."""

import inspect
import json
import os
import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest
from conftest import ROOT

from repose.config.load import load_files
from repose.predict.stage import run as predict
from repose.provenance.manifest import Recorder, manifest_path
from repose.provenance.owner import mark
from repose.results import Results
from repose.split.triples import draw_triples
from tests.worms import THERE, worm_store

CONFIG = """\
datasets:
  open-human:
    source: open-human
    vertices: 1200
    identities: {train: 2, val: 1, test: 2}
    poses: {train: 8, val: 4, test: 4}
    pairs: {train: 4, val: 1, test: 1}
methods:
  copy-pose: {architecture: copy, mesh: pose}
  npt: {architecture: npt, pooling: max, width: 4, training: {steps: 1}}
tables:
  table1: {datasets: [open-human], methods: [copy-pose]}
compute: {device: cpu, threads: 1}
"""
COMMANDS = (
    "score open-human copy-pose",
    "tables table1",
    "audit results/table1.csv --cell method=copy-pose,protocol=unseen",
)


def codes(folder):
    """Hashes of the code behind artefacts, by whatever sources are imported."""
    from repose import specs
    from repose.config.load import load_files

    config = load_files(folder / "config.yaml")
    npt, copies = (config.methods[name] for name in ("npt", "copy-pose"))
    made = {
        "train": specs.train(npt, config.compute, 0),
        "predict": specs.predict(copies, config.compute),
        "score": specs.score("meshes"),
        "score images": specs.score("images"),
        "tables": specs.tables(config, "table1"),
        "report": specs.report(config, "table1"),
    }
    return {name: spec.code for name, spec in made.items()}


@pytest.fixture(scope="module")
def page():
    """The name and the text of the file with the function, the file of the table, and the row."""
    text = (ROOT / "docs" / "adding.md").read_text().partition("\n## A metric\n")[2]
    blocks = r"file `([\w/.]+)`:\s+```python\n(.*?)```.*`METRICS` in `([\w/.]+)`:\s+```python\n(.*?)```"
    return re.search(blocks, text, flags=re.DOTALL).groups()


@pytest.fixture(scope="module")
def sources(page, tmp_path_factory):
    """A copy of the sources to which the page is applied."""
    folder = tmp_path_factory.mktemp("sources")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src" / "repose", folder / "src" / "repose", ignore=ignored)
    file, function, table, row = page
    (folder / file).write_text(function)
    before = (folder / table).read_text()
    assert before.count("\n)") == 1, "where METRICS ends"
    (folder / table).write_text(before.replace("\n)", f"\n{row.rstrip()},\n)"))
    return folder / "src"


@pytest.fixture(scope="module")
def predicted(tmp_path_factory):
    """A folder with predictions of a method, and what they are made from."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "config.yaml").write_text(CONFIG)
    config, results = load_files(folder / "config.yaml"), Results(folder / "results")
    store, lists = results.packed("meshes", "open-human"), {}
    worm_store(store.parent)
    mark(results.root)
    Recorder("store", "code", {}).seal(manifest_path(store), [store])
    for part, role in (("unseen", "test-unseen"), ("seen-pose", "test-seen")):
        lists[part] = results.split("open-human", part)
        lists[part].parent.mkdir(parents=True, exist_ok=True)
        draw_triples(THERE, [2, 3], range(50, 60), 12, role, 0).to_parquet(lists[part], index=False)
        Recorder("split", "code", {}).seal(manifest_path(lists[part]), [lists[part]])
    out = results.predictions("open-human", "copy-pose", 0)
    out.parent.mkdir(parents=True)
    predict(config.methods["copy-pose"], config.compute, store, lists, None, out)
    return folder


@pytest.fixture(scope="module")
def told(sources, predicted):
    """What the commands print with these sources; the hashes of the code stand last."""
    script = "\n".join(
        [
            "import json\nfrom pathlib import Path\nfrom repose.cli import app",
            *(f"app({command.split()}, standalone_mode=False)" for command in COMMANDS),
            inspect.getsource(codes) + "print(json.dumps(codes(Path())))",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=predicted, env=os.environ | {"PYTHONPATH": str(sources)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def test_the_row_is_in_scores_table_markdown_and_audit(predicted, told):
    scores = pd.read_parquet(predicted / "results/scores/open-human/copy-pose/seed0.parquet")
    worst, mean = (scores[scores.metric == m].value.to_numpy() for m in ("worst_mm", "mpve_mm"))
    assert len(worst) == len(mean) == 24 and (worst > mean).all()
    table = pd.read_csv(predicted / "results" / "table1.csv").set_index("protocol")
    unseen = scores[(scores.metric == "worst_mm") & (scores.protocol == "unseen")]
    assert table.worst_mm["unseen"] == pytest.approx(unseen.value.mean(), rel=1e-5)
    assert table.worst_mm_ci95["unseen"] > 0 and "edge_error_ci95" in table
    heading, *_, better = (predicted / "results" / "table1.md").read_text().splitlines()
    assert "| edge error | worst vertex (mm) | train (s) |" in heading
    assert better == "Lower is better: PMD, CD, MPVE, edge error, worst vertex. Higher is better: gain."
    assert f"worst_mm {table.worst_mm['unseen']:g}" in told and "Holds." in told


def test_it_scores_and_tabulates_again_and_trains_and_predicts_nothing_again(predicted, told):
    before, after = codes(predicted), json.loads(told.splitlines()[-1])
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"score", "tables"}


def test_sources_without_the_row_refuse_its_scores_in_one_line(predicted, told):
    command = [sys.executable, "-m", "repose", "tables", "table1"]
    again = subprocess.run(command, cwd=predicted, capture_output=True, text=True, check=False)
    (line,) = (again.stdout + again.stderr).splitlines()
    assert again.returncode == 1
    assert "open-human/copy-pose: the scores have metric 'worst_mm', which the table does not know" in line
