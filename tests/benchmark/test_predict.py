"""Our own methods on lists of variants: predicted, left out or refused, and ranked beside the baselines."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
import zarr
from benchmark.test_enter import reseal
from pydantic import TypeAdapter
from typer.testing import CliRunner

from repose.benchmark import lists
from repose.benchmark.predict import predicted
from repose.benchmark.sources import Sources
from repose.cli import app
from repose.config.models import Method
from repose.methods.build import build
from repose.methods.tracks import left_out
from repose.predict.meshes import predict
from repose.predict.read_meshes import transfers
from repose.reading import read_rows


def settings(**keys):
    return TypeAdapter(Method).validate_python(keys)


TRAINING = {"steps": 1, "batch": 1, "points": 40}


@pytest.mark.parametrize(
    "method",
    [
        settings(
            architecture="corenet",
            width=8,
            residual_blocks=1,
            refine_width=8,
            unit_area=True,
            training=TRAINING,
        ),
        settings(architecture="deformation-transfer"),
        settings(architecture="copy", mesh="pose", finish="rotations"),
    ],
    ids=lambda method: method.architecture,
)
def test_a_list_is_predicted_as_the_split_is_that_it_is_of(made, tmp_path, method):
    """Orders and batches differ: equal predictions say that faces, sizes and bodies at rest are right."""
    torch.manual_seed(0)
    network = build(method).eval()
    plan = made.plan
    listing, bodies = Sources(plan.results.benchmark_list("tiny", "unseen"), plan.packed("tiny")).open()
    triples = read_rows(plan.results.split("tiny", "unseen"))
    predict(method, network, plan.packed("tiny"), {"unseen": triples}, "cpu", tmp_path / "p.zarr", "")
    expected = transfers(tmp_path / "p.zarr", "unseen", triples).numpy()
    found = predicted(network, listing, bodies, "cpu", method.projection)
    assert np.abs(found - expected).max() < 1e-3 and np.abs(found - expected).mean() < 1e-5


def audit(site, path):
    said = CliRunner().invoke(app, ["audit", str(path), "--json", "--rescore"]).stdout
    return json.loads(said[: said.rindex("}") + 1])


def listed(site, kind):
    need = site.plan.benchmark("tiny", f"unseen-{kind}")
    lists.run(site.plan.config.datasets["tiny"], "tiny", f"unseen-{kind}", **need.inputs, out=need.out)


def ranked(site, part):
    said = site.repose("submit", "rank", f"tiny/{part}")
    assert said.exit_code == 0, said.exception
    table = pd.read_csv(site.plan.results.ranking("tiny", part))
    return table.set_index("method"), said.output


@pytest.mark.parametrize(
    ("kind", "method", "others"),
    [("holes", "closest", {"copy-identity"}), ("turned", "rotations", {"copy-identity", "copy-pose"})],
)
def test_our_methods_have_rows_of_a_list_of_variants(site, kind, method, others):
    listed(site, kind)
    part = f"unseen-{kind}"
    runs = site.plan.ranked("tiny", part)
    assert ("closest", 0) in runs and (("rotations", 0) in runs) == (kind == "turned")
    said = site.repose("benchmark-predict", "tiny", part, method)
    assert said.exit_code == 0, said.exception
    table, said = ranked(site, part)
    assert set(table.index) == {method, *others} and table.mpve_mm.notna().all()
    assert table.source[method] == "repose" and table["rank"][method] == 1
    assert ("rotations is in track PC, which needs vertices that correspond" in said) == (kind == "holes")


def test_an_audit_predicts_again_and_finds_vertices_that_no_method_makes(site):
    listed(site, "turned")
    site.repose("benchmark-predict", "tiny", "unseen-turned", "rotations")
    ranked(site, "unseen-turned")
    ranking = site.plan.results.ranking("tiny", "unseen-turned")
    assert audit(site, ranking)["holds"]
    place = site.plan.results.benchmark_predictions("tiny", "unseen-turned", "rotations", 0)

    def better(path):
        array = zarr.open_array(path / "unseen-turned" / "vertices", mode="r+")
        array[:] = array[:] + 0.01

    reseal(place, better)
    found = audit(site, place)
    assert (
        not found["holds"]
        and "differs from what the method predicts, by 0.01 m" in found["first_broken_link"]
    )


def test_a_method_that_needs_what_the_list_has_not_is_refused_in_one_line(site):
    listed(site, "decimated")
    said = site.repose("benchmark-predict", "tiny", "unseen-decimated", "rotations")
    assert "rotations is in track PC, which needs vertices that correspond" in str(said.exception)
    assert not site.plan.results.benchmark_predictions("tiny", "unseen-decimated", "rotations", 0).exists()


def test_why_methods_are_left_out_of_lists_with_other_triangles():
    npt = settings(architecture="npt", pooling="none", width=4, training=TRAINING)
    rest = settings(architecture="deformation-transfer")
    assert "as many vertices as the identity has" in left_out(
        npt, True, True
    ) and "is in track RC" in left_out(rest, True, True)
    oracle = settings(architecture="deformation-transfer", rest_pose="identity")
    assert "is an oracle" in left_out(oracle, True, False)
    assert left_out(oracle, False, False) is None
    assert left_out(npt, True, False) is None and left_out(rest, False, False) is None
    assert (
        left_out(settings(architecture="npt", pooling="max", width=4, training=TRAINING), True, True) is None
    )
