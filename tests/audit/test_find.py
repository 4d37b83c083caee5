"""`repose audit --find`: every kind of thing, who depends on it, and by which chain."""

import json
import shutil
from dataclasses import asdict

import pytest
from chain import DATASET, MODULE, Chain
from rich.console import Console
from typer.testing import CliRunner

from repose.audit.find import find, show, tables_of
from repose.cli import app
from repose.errors import ReposeError

ALL = {(m, p) for m in ("copy-pose", "dt-rest", "npt") for p in ("unseen", "seen-pose")}
BOTH = {("npt", "unseen"), ("npt", "seen-pose")}


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return Chain(tmp_path_factory.mktemp("find") / "results", supplied=True)


def rows(found):
    return {(d.row["method"], d.row["protocol"]) for d in found.dependents}


@pytest.mark.parametrize(
    ("thing", "dependents"),
    [
        (f"mesh:{DATASET}/id0_1", BOTH),  # trained on
        (f"mesh:{DATASET}/id3_3", BOTH),  # validated on: it chooses the weights
        (f"mesh:{DATASET}/id1_1", BOTH),  # in no triple, a trained body in a trained pose
        (f"mesh:{DATASET}/id5_5", {(m, "unseen") for m in ("copy-pose", "dt-rest", "npt")}),
        (f"mesh:{DATASET}/id4_0", {("dt-rest", "unseen"), ("dt-rest", "seen-pose")}),  # at rest
        (f"mesh:{DATASET}/id6_0", set()),  # converted, and in no list
        (f"raw:{DATASET}/reg_001.ply", BOTH),
        (f"raw:{DATASET}/reg_000.ply", set()),
        (f"dataset:{DATASET}", ALL),
        ("method:npt", BOTH),
        (f"code:{MODULE}", ALL),
        (f"artefact:results/splits/{DATASET}/train.parquet", BOTH),
        (f"artefact:splits/{DATASET}/unseen", {(m, "unseen") for m in ("copy-pose", "dt-rest", "npt")}),
    ],
)
def test_what_depends_on_a_thing_is_found_and_nothing_else(chain, thing, dependents):
    found = find(thing, [chain.table])
    assert rows(found) == dependents
    assert (found.rows, found.numbers) == (6, 12), "intervals and costs are no numbers of their own"
    assert all(d.cells == ("pmd_e4", "pmd_e4_gain") for d in found.dependents)


def test_an_oracle_reads_the_pose_body_in_the_pose_of_the_identity(tmp_path):
    chain = Chain(tmp_path / "results", supplied=True)
    shutil.rmtree(chain.results.predictions(DATASET, "dt-rest", 0))
    chain.method("dt-rest", {"rest_pose": "identity"})
    chain.tables()
    assert rows(find(f"mesh:{DATASET}/id5_4", [chain.table])) == {("dt-rest", "unseen")}
    assert rows(find(f"mesh:{DATASET}/id4_0", [chain.table])) == set()


def test_the_chain_leads_from_the_thing_to_the_table(chain):
    [first, _] = find(f"mesh:{DATASET}/id0_1", [chain.table]).dependents
    assert first.chain[0] == f"splits/{DATASET}/train (train: 1 × identity mesh)"
    places = [
        f"runs/{DATASET}/npt/seed0/model",
        *(f"{s}/{DATASET}/npt/seed0" for s in ("predictions", "scores")),
    ]
    assert first.chain[1:] == (*places, "table1.csv")


def test_a_number_that_is_relative_to_a_baseline_depends_on_that(chain):
    found = find("method:copy-pose", [chain.table])
    relative = {d.row["method"]: d.cells for d in found.dependents}
    assert relative == {m: ("pmd_e4_gain",) for m in ("dt-rest", "npt")} | {
        "copy-pose": ("pmd_e4", "pmd_e4_gain")
    }


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        ("id0_1", "is not of the form mesh:open-human/id3_17"),
        ("mesh:", "is not of the form"),
        (f"mesh:{DATASET}/id9_9", "has no mesh 'id9_9'"),
        ("mesh:other/id0_1", "no dataset named 'other'.*there are mine"),
        (f"raw:{DATASET}/ply", "no raw file of mine is named 'ply'"),
        ("method:corenet", "no method named 'corenet'.*copy-pose, dt-rest, npt"),
        ("code:no.such.module", "no code named"),
        ("artefact:splits/mine/never", "no artefact"),
    ],
)
def test_a_name_that_is_nowhere_is_one_line(chain, thing, said):
    with pytest.raises(ReposeError, match=said):
        find(thing, [chain.table])


def test_it_is_printed_and_nothing_is_one_line(chain, capsys):
    done = CliRunner().invoke(
        app, ["audit", "--find", f"mesh:{DATASET}/id6_0", "--results", str(chain.results.root)]
    )
    first, note = done.stdout.splitlines()
    assert first == f"Nothing depends on mesh:{DATASET}/id6_0: no number of table1.csv."
    assert note.startswith("note: splits of mine are drawn from its whole catalogue")
    found = find("method:npt", tables_of(chain.results.root))
    show(found, Console(width=40))
    out = capsys.readouterr().out
    assert "4 of 12 numbers in 2 of 6 rows depend on method:npt." in out
    assert f"runs/{DATASET}/npt/seed0/model (it is of the method) → predictions" in out, "no chain is broken"
    assert json.loads(json.dumps(asdict(found)))["dependents"][0]["row"]["method"] == "npt"
