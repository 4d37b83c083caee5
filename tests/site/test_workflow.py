"""`make site` as a user runs it, on tables of every medium."""

import pytest
from conftest import ROOT

from repose.audit.audit import audit
from repose.config.load import load_files
from repose.errors import ReposeError


def test_the_workflow_makes_the_pages_of_every_table_once(project):
    assert project.ran("site") == {"site": 1}
    results = project.folder / "results"
    tables = {path.stem for path in results.glob("*.csv")}
    assert {path.stem for path in (results / "site" / "tables").glob("*.html")} == tables
    assert not audit(results / "site").faults
    assert project.planned("site") == {}


def test_no_table_may_take_the_place_of_the_pages(tmp_path):
    (tmp_path / "more.yaml").write_text("tables: {site: {datasets: [open-human], methods: [npt]}}")
    with pytest.raises(ReposeError, match=r"tables\.site"):
        load_files(ROOT / "config.yaml", tmp_path / "more.yaml")
