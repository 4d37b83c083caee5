"""Lists whose pose meshes have other triangles, holes, noise or another heading."""

import json
import shutil

import numpy as np
import pytest
from benchmark.project import Site, fill_card, sign
from released import body

from repose import specs
from repose.benchmark import lists
from repose.benchmark.inputs import identity_order
from repose.benchmark.sources import Sources
from repose.benchmark.variants import named, numbers_of, variant
from repose.errors import ReposeError
from repose.mesh.mesh import Mesh

KINDS = ("decimated", "remeshed", "holes", "noise", "turned")


def made_list(site, kind):
    """The list of a variant, made by the stage as the rule calls it."""
    need = site.plan.benchmark("tiny", f"unseen-{kind}")
    lists.run(site.plan.config.datasets["tiny"], "tiny", f"unseen-{kind}", **need.inputs, out=need.out)
    return Sources(need.out, need.inputs["store"]).open()


@pytest.fixture(scope="module")
def opened(made, tmp_path_factory):
    """The lists of all kinds."""
    site = Site(shutil.copytree(made.folder, tmp_path_factory.mktemp("variants") / "project"))
    return {kind: made_list(site, kind) for kind in KINDS}


def test_the_plan_knows_of_which_part_a_list_is():
    assert specs.VARIANTS == KINDS
    assert specs.part_and_variant("seen-pose") == ("seen-pose", "")
    assert specs.part_and_variant("seen-pose-holes") == ("seen-pose", "holes")


@pytest.mark.parametrize("kind", KINDS)
def test_pose_meshes_are_others_and_identities_are_not(made, opened, kind):
    listing, bodies = opened[kind]
    for plain, row in zip(made.listing.rows, listing.rows, strict=True):
        assert row.identity_mesh == plain.identity_mesh and named(row.pose_mesh).mesh == plain.pose_mesh
        assert numbers_of(row.truth_mesh) == numbers_of(plain.truth_mesh)
        assert (row.truth_mesh == plain.truth_mesh) == (kind != "turned")
        assert kind == "turned" or row.flags == plain.flags  # in other headings truths repeat less often
        before, after = body(*numbers_of(row.pose_mesh), 122), bodies.mesh(row.pose_mesh)
        same_size = (len(after.vertices), len(after.faces)) == (122, 240)
        assert not same_size or np.abs(after.vertices - before).max() > 0.01
    assert listing.has_other_triangles == (kind in ("decimated", "remeshed", "holes"))
    assert listing.sha256 != made.listing.sha256


def test_each_variant_is_what_its_name_says(opened):
    meshes = {
        kind: [bodies.mesh(row.pose_mesh) for row in listing.rows]
        for kind, (listing, bodies) in opened.items()
    }
    assert all(abs(len(mesh.vertices) - 61) < 10 for mesh in meshes["decimated"])
    assert all(len(mesh.faces) < 240 for mesh in meshes["holes"])
    assert all(abs(len(mesh.vertices) - 122) < 12 for mesh in meshes["remeshed"])
    row = opened["noise"][0].rows[0]
    noise = meshes["noise"][0].vertices - body(*numbers_of(row.pose_mesh), 122)
    assert 0.004 < noise.std() < 0.006


def test_another_heading_is_that_of_the_truth_too(opened):
    listing, bodies = opened["turned"]
    for row in listing.rows:
        degrees = [int(named(name).kind.removeprefix("turned")) for name in (row.pose_mesh, row.truth_mesh)]
        assert degrees[0] == degrees[1] and 30 <= degrees[0] <= 330
        turned, plain = bodies.mesh(row.truth_mesh).vertices, body(*numbers_of(row.truth_mesh), 122)
        assert turned[:, 1] == pytest.approx(plain[:, 1], abs=1e-6)  # about the vertical
        angle = np.radians(degrees[0])
        assert turned[:, 0] == pytest.approx(
            np.cos(angle) * plain[:, 0] + np.sin(angle) * plain[:, 2], abs=1e-5
        )


def test_a_variant_that_nobody_knows_is_refused():
    mesh = Mesh(np.eye(3), np.array([[0, 1, 2]]))
    with pytest.raises(ReposeError, match="'id1_1~melted' is no variant"):
        variant(mesh, "id1_1~melted")


@pytest.mark.parametrize("kind", ["decimated", "turned"])
def test_a_list_of_variants_is_entered_like_any_other(site, tmp_path, kind):
    listing, bodies = made_list(site, kind)
    name = f"tiny/unseen-{kind}"
    said = site.repose("submit", "init", name, "--track", "P", "--out", tmp_path / "mine")
    assert said.exit_code == 0, said.exception
    folder = tmp_path / "mine" / "submission"
    for number, row in enumerate(listing.rows):
        wrong = np.random.default_rng(number).normal(0, 0.004, (122, 3))
        vertices = (bodies.mesh(row.truth_mesh).vertices + wrong)[identity_order(listing, row, "P", 122)]
        np.savez(folder / "predictions" / f"{row.triple_id}.npz", vertices=vertices)
    fill_card(folder)
    sign(folder)
    said = site.repose("submit", "score", folder, "--json")
    assert said.exit_code == 0, said.exception
    rows = {row["method"]: row for row in json.loads(said.stdout[said.stdout.index("{") :])["rows"]}
    baselines = {"copy-identity"} | ({"copy-pose"} if kind == "turned" else set())
    assert (
        set(rows) == baselines | {"mine"} and rows["mine"]["rank"] == 1 and 4 < rows["mine"]["mpve_mm"] < 12
    )


def test_no_track_gives_a_correspondence_that_there_is_not(site, tmp_path):
    made_list(site, "holes")
    for track in ("PC", "R", "RC"):
        said = site.repose(
            "submit", "init", "tiny/unseen-holes", "--track", track, "--out", tmp_path / "mine"
        )
        assert "tracks P and K need none" in str(said.exception) and not (tmp_path / "mine").exists()
