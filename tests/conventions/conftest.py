"""Two datasets of bodies on meshes of their own, and what was learned on the first tested on both."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from released import body, faces_of
from typer.testing import CliRunner

from repose.cli import app
from repose.config.load import load_files
from repose.convert.bodies import write_bodies
from repose.methods.build import build
from repose.plan import Plan
from repose.provenance.making import making
from repose.provenance.manifest import Recorder, manifest_path
from repose.provenance.owner import mark
from repose.results import Results
from repose.train.stage import _write

CONFIG = """\
datasets:
  first: &bodies
    source: open-human
    vertices: 300
    identities: {train: 2, val: 2, test: 3}
    poses: {train: 4, val: 2, test: 3}
    pairs: {train: 20, val: 2, test: 8}
    protocols: [unseen]
  second: *bodies
methods:
  copy-identity: {architecture: copy, mesh: identity}
  copy-pose: {architecture: copy, mesh: pose}
  npt:
    architecture: npt
    pooling: max
    width: 8
    training: {steps: 2, batch: 2, points: 40, learning_rate: 1.0e-3, validate_every: 2}
tables:
  across: {trained_on: first, datasets: [second, first], methods: [copy-identity, copy-pose, npt]}
compute: {device: cpu}
"""
VERTICES = {"first": 122, "second": 62}


class Across:
    """A project whose stages run in this process."""

    def __init__(self, folder: Path):
        self.folder = folder
        (folder / "config.yaml").write_text(CONFIG)
        mark(folder / "results")
        self.plan = Plan(load_files(folder / "config.yaml"), Results(folder / "results"))

    def repose(self, *arguments: object):
        """Run a command of a stage; it must end well."""
        where = ["--config", self.folder / "config.yaml", "--results", self.folder / "results"]
        done = CliRunner().invoke(app, [str(a) for a in (*arguments, *where)])
        if done.exception:
            raise done.exception
        return done.output

    def bring(self, dataset: str) -> None:
        """Converted bodies, as the stage leaves them."""
        catalog, files, count = (
            self.plan.results.catalog(dataset),
            self.plan.converted(dataset),
            VERTICES[dataset],
        )
        meshes = ((i, p, body(i, p, count)) for i in range(7) for p in range(9))
        write_bodies(meshes, faces_of(count), files, "made", "own").to_parquet(catalog)
        for path in (catalog, files):
            Recorder("convert", "code", {}).seal(manifest_path(path), [path])

    def learn(self, dataset: str, method: str) -> None:
        """Weights that nobody has trained, as the stage leaves trained ones: a training takes seconds."""
        need, settings = self.plan.train(dataset, method, 0), self.plan.config.methods[method]
        with making(need.spec, need.out, need.inputs) as new:
            torch.manual_seed(0)
            learned = SimpleNamespace(
                weights=build(settings).state_dict(),
                history=pd.DataFrame({"step": [2], "val_pmd_m2": [1.0]}),
                **{"best_step": 2, "best_value": 1.0, "metric": "val_pmd_m2", "parameters": 7},
                **{"seconds": 1.0, "peak_memory_mib": 1.0, "device": "cpu"},
            )
            _write(learned, dict(need.spec.params), 0, need.out, new)


@pytest.fixture(scope="session")
def across(tmp_path_factory) -> Across:
    """A finished table across datasets. Tests leave it as they found it."""
    project = Across(tmp_path_factory.mktemp("across"))
    for dataset in ("first", "second"):
        project.bring(dataset)
        project.repose("store", dataset)
        project.repose("split", dataset, "unseen")
    project.repose("split", "first", "train")
    project.learn("first", "npt")
    for dataset, method, _ in project.plan.config.runs_of("across"):
        project.repose("predict", dataset, method)
        project.repose("score", dataset, method)
    project.repose("tables", "across")
    return project
