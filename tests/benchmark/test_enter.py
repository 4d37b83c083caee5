"""From a list to a ranked row, and what an audit says of it."""

import json
import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest
from benchmark.project import fill_card, predict, sign
from conftest import ROOT
from typer.testing import CliRunner

from repose.audit.audit import audit as check
from repose.benchmark import score as scoring
from repose.benchmark.sources import Sources
from repose.bundle.verify import verify_bundle
from repose.bundle.write import write_bundle
from repose.cli import app
from repose.errors import ReposeError
from repose.provenance.manifest import Recorder, manifest_path
from repose.status.jobs import jobs_of
from repose.status.state import states_of


def score(site, folder):
    """The ranking, by method, and the notes."""
    said = site.repose("submit", "score", folder, "--json")
    assert said.exit_code == 0, said.exception
    found = json.loads(said.stdout[said.stdout.index("{") :])
    return {row["method"]: row for row in found["rows"]}, found["notes"]


def mpve(scored):
    """Of the folder that is accepted, as it was scored once."""
    table = pd.read_csv(scored.plan.results.ranking("tiny", "unseen"))
    return float(table[table.method == "mine"].mpve_mm.iloc[0])


def audit(site, place, *options):
    said = CliRunner().invoke(app, ["audit", str(site.folder / "results" / place), "--json", *options])
    return json.loads(said.stdout[: said.stdout.rindex("}") + 1])


def test_from_the_inputs_of_a_track_to_a_ranked_row(site, submission):
    said = site.repose("submit", "check", submission)
    assert said.exit_code == 0 and "12 predictions of tiny/unseen" in said.output, said.output
    rows, _ = score(site, submission)
    assert {name: (row["track"], row["source"]) for name, row in rows.items()} == {
        "copy-identity": ("P", "baseline"),
        "copy-pose": ("PC", "baseline"),
        "rotations": ("PC", "repose"),
        "closest": ("P", "repose"),
        "mine": ("P", "external"),
    }
    assert (rows["mine"]["rank"], rows["closest"]["rank"], rows["rotations"]["rank"]) == (1, 2, 1)
    assert rows["copy-identity"]["rank"] is None and rows["copy-pose"]["skill"] == 0
    assert 4 < rows["mine"]["mpve_mm"] < 12 and rows["mine"]["fail_share"] == 0
    assert rows["mine"]["rows"] == sum(row.is_headline for row in site.listing.rows) < 12


def test_status_says_that_a_ranking_is_made_until_what_it_scores_changes(scored):
    results, ranking = scored.plan.results, scored.plan.results.ranking("tiny", "unseen")

    def why():
        return states_of(jobs_of(scored.plan, [ranking]), results.root)[ranking].why

    assert "comes first" in why()  # of stages that the fixture has not run as the workflow does
    predictions = results.predictions("tiny", "closest", 0)
    recorder = Recorder("predict", "other", {})
    recorder.seal(manifest_path(predictions), [predictions], {"another": 1})
    assert why() == "another closest/seed0"


def test_a_ranking_says_which_bodies_it_is_of(scored):
    """The rows of a list are those of any bodies of these numbers, so that its sha256 does not tell coarse ones."""
    ranking = scored.plan.results.ranking("tiny", "unseen").with_suffix(".md").read_text()
    listed = scored.plan.results.benchmark_list("tiny", "unseen")
    assert ranking.splitlines()[0].endswith(f"meshes {scoring.meshes_sha256(listed)}`.")


def test_a_ranking_says_what_errors_are_made_of_where_parts_are_known(scored):
    table = pd.read_csv(scored.plan.results.ranking("tiny", "unseen")).set_index("method")
    assert np.allclose(table.pose_share + table.shape_share, 1, atol=1e-5)
    assert table.pose_share["copy-identity"] > 0.5 > table.pose_share["mine"], "a pose, and noise"


def test_a_scorer_without_the_recipe_of_generated_bodies_says_so(site, submission):
    manifest_path(site.plan.results.recipe("tiny")).unlink()
    said = site.repose("submit", "check", submission)
    assert "raw.npz is not here" in str(said.exception) and "raw.manifest.json" in str(said.exception)


def test_an_audit_proves_the_scores_and_not_the_training(scored):
    found = audit(scored, "benchmark/tiny/unseen/external/mine/seed0.parquet")
    assert found["holds"] and "scores of the benchmark" in found["computed_again"]
    (note,) = [note for note in found["notes"] if "handed in" in note]
    assert "handed-in/mine/seed0" in note and "is not proved" in note
    assert audit(scored, "benchmark/tiny/unseen/ranking.csv")["holds"]


def reseal(path, change):
    """Change a file and sign it anew, as if nothing had happened."""
    from repose.provenance.manifest import Recorder, load, manifest_path

    old = load(manifest_path(path))
    change(path)
    recorder = Recorder(old.content["stage"], old.history["code"], old.history["params"], old.history["seed"])
    for name, parent in old.parents.items():
        recorder.uses(name, parent)
    files = [path.parent / name for name in old.content["files"]]
    recorder.seal(manifest_path(path), files, old.content["describe"])


def test_an_audit_finds_scores_that_the_predictions_do_not_give(scored):
    place = "benchmark/tiny/unseen/external/mine/seed0.parquet"

    def better(path):
        rows = pd.read_parquet(path)
        rows.assign(value=rows.value.where(rows.metric != "mpve_mm", rows.value / 2)).to_parquet(
            path, index=False
        )

    reseal(scored.folder / "results" / place, better)
    found = audit(scored, place)
    assert not found["holds"] and "12 scores differ from the predictions" in found["first_broken_link"]


def test_an_audit_finds_a_rank_that_the_scores_do_not_give(scored):
    place = "benchmark/tiny/unseen/ranking.csv"

    def first(path):
        path.write_text(path.read_text().replace("PC,identity,1,rotations", "PC,identity,2,rotations"))

    reseal(scored.folder / "results" / place, first)
    found = audit(scored, place)
    assert not found["holds"] and "is not the ranking that its scores give" in found["first_broken_link"]


def found_in_rankings(site, thing):
    """Of each row that depends on a thing, by source and method, the numbers that do."""
    results = str(site.folder / "results")
    said = CliRunner().invoke(app, ["audit", "--find", thing, "--results", results, "--json"])
    assert said.exit_code == 0, said.exception
    found = json.loads(said.stdout)
    assert found["tables"] == ["ranking.csv"] and found["rows"] == 5
    return {(row["row"]["source"], row["row"]["method"]): set(row["cells"]) for row in found["dependents"]}


def test_what_a_number_of_a_ranking_depends_on_is_found(scored):
    assert set(found_in_rankings(scored, "method:closest")) == {("repose", "closest")}
    listed = scored.listing.rows[0].truth_mesh
    everything = found_in_rankings(scored, f"mesh:tiny/{listed}")
    assert len(everything) == 5 and {"mpve_mm", "skill"} <= everything["external", "mine"]
    assert found_in_rankings(scored, "mesh:tiny/id6_0") == {}, "in no list"
    own = found_in_rankings(scored, "artefact:benchmark/tiny/unseen/external/mine/seed0")
    assert set(own) == {("external", "mine")}
    relative = found_in_rankings(scored, "artefact:benchmark/tiny/unseen/baseline/copy-pose/seed0")
    assert relative["external", "mine"] == {"skill"} and "mpve_mm" in relative["baseline", "copy-pose"]


def test_a_ranking_is_published_without_what_others_handed_in(scored, tmp_path):
    bundle = tmp_path / "bundle.zip"
    ranking = scored.plan.results.ranking("tiny", "unseen")
    written, _ = write_bundle(check(ranking), ROOT, bundle)
    assert verify_bundle(bundle).digest == written.digest
    with zipfile.ZipFile(bundle) as archive:
        names = set(archive.namelist())
        left = archive.read("LEFT-OUT.csv").decode()
    place = "results/benchmark/tiny/unseen"
    assert {f"{place}/ranking.csv", f"{place}/ranking.md", f"{place}.tsv", f"{place}.meshes.txt"} <= names
    assert f"{place}/external/mine/seed0.parquet" in names, "its scores"
    theirs = "handed-in/mine/seed0"
    assert not any(theirs in name and not name.endswith(".json") for name in names), "nor their card"
    assert f"{place}/{theirs}" in left and "was handed in by others" in left


def test_scoring_again_makes_nothing_again(scored, scored_once, monkeypatch):
    monkeypatch.setattr(scoring, "_rows", lambda *_: pytest.fail("computed again"))
    again, _ = score(scored, scored_once.folder.parent / "mine" / "submission")
    assert again["mine"]["mpve_mm"] == mpve(scored)


def test_a_list_is_ranked_without_anything_handed_in(site):
    said = site.repose("submit", "rank", "tiny/unseen")
    assert said.exit_code == 0 and "| PC | 1 | rotations | repose | 1 |" in said.output, said.exception


def test_a_list_that_is_not_here_comes_with_the_command_that_makes_it(site):
    said = site.repose("submit", "rank", "tiny/seen-pose")
    assert "seen-pose.tsv is not here" in str(said.exception) and "snakemake" in str(said.exception)
    assert "snakemake" in str(
        site.repose("benchmark-predict", "tiny", "unseen-holes", "copy-identity").exception
    )
    for command in (("submit", "rank", "tiny/nosuch"), ("benchmark", "tiny", "nosuch-holes")):
        said = str(site.repose(*command).exception)
        assert said.startswith("no list named 'nosuch") and "hint: there are unseen, seen-pose, " in said
        assert "each also with -decimated" in said and "snakemake" not in said
    assert "no part named 'val' (hint: there are train, unseen" in str(
        site.repose("split", "tiny", "val").exception
    )
    assert "is no list" in str(site.repose("submit", "rank", "tiny").exception)


def test_seeds_are_one_row(site, submission, tmp_path):
    for seed in (0, 1):
        shutil.copytree(submission, tmp_path / "both" / f"seed{seed}")
    predict(site, tmp_path / "both" / "seed1", noise=0.008)
    rows, _ = score(site, tmp_path / "both")
    assert rows["mine"]["seeds"] == 2
    assert 9 < rows["mine"]["mpve_mm"] < 11  # the mean of about 6.4 and 12.8


def test_failures_count_as_copies_and_too_many_have_no_rank(site, submission, scored_once):
    row = next(row for row in site.listing.rows if row.is_headline)
    (submission / "predictions" / f"{row.triple_id}.npz").unlink()
    fill_card(submission, failed={row.triple_id: "did not converge"})
    sign(submission)
    rows, _ = score(site, submission)
    mine, headline = rows["mine"], rows["mine"]["rows"]
    assert mine["fail_share"] == pytest.approx(1 / headline, rel=1e-5)
    assert mine["rank"] is None and mine["unranked"] == "8% of the triples failed"
    assert mine["mpve_mm"] > mpve(scored_once)


def test_vertices_without_an_order_have_rows_of_their_own(site, submission):
    for path in (submission / "predictions").iterdir():
        np.savez(path, vertices=np.random.default_rng(0).permutation(np.load(path)["vertices"]))
    fill_card(submission, order="none")
    sign(submission)
    rows, notes = score(site, submission)
    mine = rows["mine"]
    assert (mine["order"], mine["rank"], mine["mpve_mm"]) == ("none", 1, None)
    assert 0 < mine["cd_m2"] < 1e-3 and rows["closest"]["rank"] == 1 and rows["closest"]["cd_m2"] is None
    assert not any("order differs" in note for note in notes)


def test_an_obj_is_as_good_as_an_array(site, submission, scored_once):
    for path in (submission / "predictions").iterdir():
        lines = ["v {!r} {!r} {!r}".format(*map(float, v)) for v in np.load(path)["vertices"]]
        path.with_suffix(".obj").write_text("\n".join(lines) + "\nf 1 2 3\n")
        path.unlink()
    sign(submission)
    after, _ = score(site, submission)
    assert after["mine"]["mpve_mm"] == pytest.approx(mpve(scored_once), rel=1e-5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v, row: np.random.default_rng(0).permutation(v), "order differs from the identity file?"),
        (lambda v, row: v[:, [0, 2, 1]], "axes swapped or mirrored?"),
        (lambda v, row: v * [1, -1, 1], "axes swapped or mirrored?"),
        (lambda v, row: v + np.array([0, 5, 0]), "beside their truths on average"),
    ],
)
def test_what_looks_like_a_mistake_is_said_and_changes_nothing(site, submission, change, said):
    for path, row in zip(sorted((submission / "predictions").iterdir()), site.listing.rows, strict=True):
        np.savez(path, vertices=change(np.load(path)["vertices"], row))
    sign(submission)
    checked = site.repose("submit", "check", submission)
    assert checked.exit_code == 0 and said in checked.output, checked.output


def test_swapped_roles_are_said(site, submission):
    from released import body

    from repose.benchmark.inputs import identity_order

    listing = site.listing
    for row in listing.rows:  # the other body, about as it stands
        vertices = body(*map(int, row.pose_mesh.removeprefix("id").split("_")), 122)
        vertices = (vertices * 1.001)[identity_order(listing, row, "P", 122)]
        np.savez(submission / "predictions" / f"{row.triple_id}.npz", vertices=vertices)
    sign(submission)
    assert "roles swapped?" in site.repose("submit", "check", submission).output


def test_an_honest_submission_raises_no_suspicion(site, submission):
    assert "note:" not in site.repose("submit", "check", submission).output


@pytest.mark.parametrize("track", ["P", "PC", "R", "RC", "K"])
def test_every_track_hands_out_and_takes_back(site, tmp_path, track):
    said = site.repose("submit", "init", "tiny/unseen", "--track", track, "--out", tmp_path / "mine")
    assert said.exit_code == 0, said.exception
    given = sorted(p.name for p in (tmp_path / "mine" / "inputs" / "tiny-unseen-0003").iterdir())
    rest = ["pose-rest.obj"] if track in ("R", "RC") else []
    assert given == ["identity.obj", *rest, "pose.obj"] or given == [
        "identity.obj",
        "pose-rest.obj",
        "pose.obj",
    ]
    folder = predict(site, tmp_path / "mine" / "submission", track)
    said = site.repose("submit", "check", folder)
    assert said.exit_code == 0 and "order differs" not in said.output, said.exception


def test_a_folder_that_is_there_is_left_alone(site, submission):
    said = site.repose("submit", "init", "tiny/unseen", "--track", "P", "--out", submission)
    assert isinstance(said.exception, ReposeError) and "is there already" in str(said.exception)


def test_one_source_is_of_lists_with_one(site, tmp_path):
    said = site.repose("submit", "init", "tiny/unseen", "--track", "S", "--out", tmp_path / "mine")
    assert "such as one-source" in str(said.exception) and not (tmp_path / "mine").exists()
    said = site.repose("submit", "init", "tiny/one-source", "--track", "S", "--out", tmp_path / "mine")
    assert said.exit_code == 0, said.exception


def test_our_predictions_of_other_meshes_are_left_out_and_named(site, submission):
    reseal(site.plan.packed("tiny"), lambda path: (path / "more").write_text("another store"))
    rows, notes = score(site, submission)
    assert "rotations" not in rows and "mine" in rows
    assert any("rotations, seed 0, is left out" in note for note in notes), notes


def test_what_was_handed_in_to_another_list_is_left_out_and_named(scored):
    listed = scored.plan.results.benchmark_list("tiny", "unseen")
    reseal(listed, lambda path: path.write_text(path.read_text().replace("\t-\n", "\tseen-pose\n", 1)))
    said = scored.repose("submit", "rank", "tiny/unseen")
    assert said.exit_code == 0, said.exception
    assert (
        "mine, seed 0, is left out: was made from another listed" in said.output
        and "| mine |" not in said.output
    )


def test_scores_of_two_lists_are_not_ranked_together(scored):
    from repose.benchmark import rank

    listed = scored.plan.results.benchmark_list("tiny", "one-source")
    place = scored.plan.results.benchmark_scores("tiny", "one-source", "baseline", "copy-pose", 0)
    scoring.score_baseline("copy-pose", Sources(listed, scored.plan.packed("tiny")), place)
    ours = scored.plan.results.benchmark_scores("tiny", "unseen", "baseline", "copy-identity", 0)
    with pytest.raises(ReposeError, match="is of another list than the others: one-source, not unseen"):
        rank.run(
            {"baseline/copy-identity/seed0": ours, "baseline/copy-pose/seed0": place},
            ours.with_name("ranking.csv"),
        )
    assert not ours.with_name("ranking.csv").exists()
