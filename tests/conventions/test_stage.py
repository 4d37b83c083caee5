"""The stage on a finished run, and what an audit says of it."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from benchmark.test_enter import reseal
from typer.testing import CliRunner

from repose.cli import app
from repose.config.load import load_files
from repose.conventions.stage import differs_from_predictions, run
from repose.errors import ReposeError
from repose.plan import Plan
from repose.provenance.manifest import load, manifest_path
from repose.results import Results


@pytest.fixture(scope="module")
def studied(across, tmp_path_factory):
    """The results of a table across datasets with its study."""
    folder = shutil.copytree(across.folder, tmp_path_factory.mktemp("studied") / "project")
    plan = Plan(load_files(folder / "config.yaml"), Results(folder / "results"))
    need = plan.conventions("across")
    run(need.spec, need.inputs, need.out)
    return need.out


def audited(path, *options):
    said = CliRunner().invoke(app, ["audit", str(path), "--json", *options]).stdout
    return json.loads(said[: said.rindex("}") + 1])


def test_the_reference_is_the_number_of_the_table(studied):
    ranks = pd.read_csv(studied)
    table = pd.read_csv(studied.parents[1] / "across.csv").set_index(["dataset", "method"]).pmd_e4
    own = ranks[ranks.convention == "C0"].set_index(["dataset", "method"]).value * 1e4
    assert own.to_dict() == pytest.approx(table.to_dict(), rel=1e-4)
    edges = ranks[(ranks.convention == "C14") & (ranks.method == "copy-identity")]
    assert (edges.value < 1e-6).all() and (edges["rank"] == 1).all()


def test_all_that_is_promised_is_there(studied):
    ends = {path.name.removeprefix("across") for path in studied.parent.iterdir()}
    tables = {".csv", "-tau.csv", "-swaps.csv", "-claims.csv", "-lists.csv", "-sensitivity.csv"}
    assert ends == tables | {".md", ".png", "-sensitivity.png", ".manifest.json", ".history.json"}
    page = studied.with_suffix(".md").read_text()
    pictures = [studied.with_name(f"across{end}.png").read_bytes() for end in ("", "-sensitivity")]
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert "## second, unseen" in page and "npt@first" in page


def test_an_audit_scores_again_and_finds_a_changed_rank(studied, tmp_path):
    assert audited(studied, "--rescore")["holds"]
    copy = shutil.copytree(studied.parents[1], tmp_path / "results") / "conventions" / "across.csv"
    reseal(copy, lambda path: path.write_text(path.read_text().replace(",1,1", ",2,1", 1)))
    faults = differs_from_predictions(load(manifest_path(copy)))
    assert faults == ["across.csv does not say what the predictions give"]


def test_a_table_of_one_method_is_refused(studied):
    plan = Plan(load_files(studied.parents[2] / "config.yaml"), Results(studied.parents[1]))
    need = plan.conventions("across")
    alone = replace(need.spec, params={**need.spec.params, "runs": need.spec.params["runs"][:1]})
    own = {
        name: path
        for name, path in need.inputs.items()
        if "predictions:" not in name or name == "predictions:second/copy-identity/seed0"
    }
    with pytest.raises(ReposeError, match="one method alone has no rank"):
        run(alone, own, need.out)
