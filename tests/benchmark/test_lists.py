"""The text of lists, their flags, and what tracks hand out."""

import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from released import body, faces_of

from repose.benchmark import lists
from repose.benchmark.card import Ticks
from repose.benchmark.enter import init
from repose.benchmark.inputs import further, handed, identity_order, order
from repose.benchmark.listed_meshes import ListedMeshes
from repose.benchmark.sources import Sources
from repose.convert.catalog import mesh_digest
from repose.errors import ReposeError
from repose.mesh.mesh import Mesh
from repose.methods.settings import Told
from repose.methods.tracks import TRACKS, allowing, track_of

COLUMNS = ["identity_mesh", "pose_mesh", "truth_mesh"]
TRAINING = pd.DataFrame([("id0_0", "id1_1", "id0_1")], columns=COLUMNS)
ROWS = [
    ("id2_2", "id3_3", "id2_3"),
    ("id2_3", "id2_2", "id2_2"),
    ("id3_3", "id4_3", "id3_3"),
    ("id2_4", "id4_3", "id2_3"),
    ("id2_4", "id3_1", "id2_1"),
    ("id1_0", "id3_3", "id1_3"),
    ("id3_4", "id4_2", None),
]
TEXT = """\
#pt-mesh/1 tiny unseen 7
tiny-unseen-0000\tid2_2\tid3_3\tid2_3\t-
tiny-unseen-0001\tid2_3\tid2_2\tid2_2\tsame-identity
tiny-unseen-0002\tid3_3\tid4_3\tid3_3\tsame-pose
tiny-unseen-0003\tid2_4\tid4_3\tid2_3\trepeated-truth
tiny-unseen-0004\tid2_4\tid3_1\tid2_1\tseen-pose
tiny-unseen-0005\tid1_0\tid3_3\tid1_3\tseen-identity
tiny-unseen-0006\tid3_4\tid4_2\t-\t-
"""
SHA256 = "878ca01b57a3b717c615023cfe00557c6fa88642f35c96b715c92aa946406b29"


@pytest.fixture
def listing():
    return lists.derive("tiny", "unseen", pd.DataFrame(ROWS, columns=COLUMNS), TRAINING)


def test_a_list_is_these_bytes(listing):
    assert listing.text == TEXT and listing.sha256 == SHA256


def test_flags_say_which_rows_are_no_headline(listing):
    assert [row.is_headline for row in listing.rows] == [True, False, False, False, True, True, True]
    assert not listing.has_truths and listing.source is None
    assert listing.bodies_tested() == ({2, 3}, {2, 3})


def test_a_list_comes_back_as_it_was_written(listing, tmp_path):
    (tmp_path / "list.tsv").write_text(listing.text)
    assert lists.read_list(tmp_path / "list.tsv") == listing


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("pt-mesh/1", "pt-mesh/2", "no header"),
        ("unseen 7", "unseen 8", "not of the form"),
        ("\t-\n", "\n", "4 fields"),
        ("same-pose", "same-poses", "no flag 'same-poses'"),
        ("id4_3", "../x", "not of the form id3_17"),
        ("0001", "0000", "not of the form"),
        ("\n", "\r\n", "header"),
    ],
)
def test_a_damaged_list_is_refused(listing, tmp_path, old, new, why):
    (tmp_path / "list.tsv").write_bytes(listing.text.replace(old, new, 1).encode())
    with pytest.raises(ReposeError, match=why):
        lists.read_list(tmp_path / "list.tsv")


def test_the_stage_writes_hashes_of_what_the_meshes_hold(made):
    listed = made.plan.results.benchmark_list("tiny", "unseen")
    hashes = lists.read_hashes(lists.hashes_path(listed))
    named = {mesh for row in made.listing.rows for mesh in row.meshes}
    assert set(hashes) == named | {f"{mesh.split('_')[0]}_0" for mesh in named}
    for name in named:
        i, p = map(int, name.removeprefix("id").split("_"))
        assert hashes[name] == mesh_digest(Mesh(body(i, p, 122), faces_of(122)))


def test_test_bodies_and_poses_are_unseen(made):
    flags = {flag for row in made.listing.rows for flag in row.flags}
    assert flags <= {"repeated-truth"}
    assert made.listing.bodies_tested() == ({4, 5, 6}, {6, 7, 8})


def test_what_is_told_makes_the_track():
    told = {name: frozenset(Told(word) for word in words) for name, words in {
        "copy-identity": (), "npt": ("truth",), "copy-pose": ("registration",),
        "npr": ("rest bodies",), "dt-rest": ("registration", "rest bodies"), "oracle": ("answer",),
    }.items()}  # fmt: skip
    assert {name: track_of(words, one_source=False) for name, words in told.items()} == {
        "copy-identity": "P", "npt": "P", "copy-pose": "PC", "npr": "R", "dt-rest": "RC", "oracle": None,
    }  # fmt: skip
    assert track_of(told["npr"], one_source=True) == "S"


def test_every_method_of_the_default_run_has_a_track():
    from conftest import ROOT

    from repose.config.load import load_files

    methods = load_files(ROOT / "config.yaml").methods
    found = {
        name: track_of(m.told, False) for name, m in methods.items() if m.medium == "meshes" and m.compared
    }
    assert set(found.values()) == {"P", "PC", "R", "RC"} and found["dt-rest"] == "RC"


def test_the_first_track_that_allows_all_is_offered():
    assert allowing(["identity_mesh", "pose_mesh"]) == "P"
    assert allowing(["identity_rest", "pose_mesh", "pose_rest", "correspondence"]) == "RC"
    assert allowing(["identity_rest", "pose_mesh", "several_frames"]) == "S"
    assert allowing(["pose_mesh", "keypoints"]) == "K"
    assert allowing(["correspondence", "keypoints"]) is None
    assert set().union(*(track.allowed for track in TRACKS.values())) == set(Ticks.model_fields)


def test_an_order_is_the_same_for_everybody():
    assert order("a", "b", count=8).tolist() == [5, 3, 1, 0, 2, 4, 6, 7]
    assert sorted(order("a", "c", count=500)) == list(range(500))


@pytest.fixture(scope="module")
def opened(made):
    plan = made.plan
    return Sources(plan.results.benchmark_list("tiny", "unseen"), plan.packed("tiny")).open()


def test_a_shuffled_mesh_is_the_same_surface_and_gives_no_correspondence(opened):
    listing, bodies = opened
    row = listing.rows[0]
    given = handed(listing, row, "P", bodies)
    taken = identity_order(listing, row, "P", 122)
    stored = bodies.mesh(row.identity_mesh)
    assert (given["identity"].vertices == stored.vertices[taken]).all()

    def corners(mesh):
        turned = [
            np.roll(mesh.vertices[face], -int(np.lexsort(mesh.vertices[face].T)[0]), 0) for face in mesh.faces
        ]
        return sorted(face.ravel().tolist() for face in turned)

    assert corners(given["identity"]) == corners(stored)  # orientation included
    same = [(given["identity"].faces == given["pose"].faces).all(axis=1).mean()]
    assert same[0] < 0.05 and (given["identity"].faces == stored.faces).all(axis=1).mean() < 0.05


def test_tracks_with_rests_hand_out_rests(opened):
    listing, bodies = opened
    row = listing.rows[0]
    rest = f"{row.pose_mesh.split('_')[0]}_0"
    true = handed(listing, row, "RC", bodies)
    assert (true["pose-rest"].vertices == bodies.mesh(rest).vertices).all()
    none = handed(listing, row, "R", bodies)
    assert (none["pose-rest"].faces == none["pose"].faces).all()  # one body, one order
    assert not (none["identity"].faces == none["pose"].faces).all()
    source = [handed(listing, row, "S", bodies)["pose"].faces for row in listing.rows[:2]]
    assert (source[0] == source[1]).all()


def test_track_s_hands_out_further_poses_of_the_one_body_in_its_order(made):
    plan = made.plan
    listed = plan.results.benchmark_list("tiny", "one-source")
    listing, bodies = Sources(listed, plan.packed("tiny")).open()
    found = further(listing, bodies)
    tested = {row.pose_mesh for row in listing.rows}
    assert listing.source == 0 and set(found) == {f"id0_{p}" for p in range(9)} - tested and len(found) >= 6
    pose = handed(listing, listing.rows[0], "S", bodies)["pose"]
    assert all((mesh.faces == pose.faces).all() for mesh in found.values())
    out = made.folder.parent / "track-s"
    init(Sources(listed, plan.packed("tiny")), "S", out)
    assert {path.stem for path in (out / "source").iterdir()} == set(found)
    assert "`source/` has further poses" in (out / "README.md").read_text()
    shutil.rmtree(out)


def test_a_dataset_without_a_pose_at_rest_says_so(opened):
    listing, bodies = opened
    without = ListedMeshes(bodies._store, bodies._hashes, None)
    with pytest.raises(ReposeError, match="no pose at rest"):
        handed(listing, listing.rows[0], "R", without)


def test_the_released_lists_are_those_of_the_default_config():
    """Frozen: whoever changes what the default config draws gives the datasets, or the lists, new names."""
    from conftest import ROOT

    from repose.config.load import load_files
    from repose.split.meshes import _triples

    datasets = load_files(ROOT / "config.yaml").datasets
    for name in ("open-human", "open-animal"):
        settings = datasets[name]
        grid = {(i, p) for i in range(settings.identities.total) for p in range(settings.poses.total)}
        training = _triples(settings, "train", grid)
        for part in ("unseen", "seen-pose", "one-source"):
            made = lists.derive(name, part, _triples(settings, part, grid), training)
            assert lists.is_released(name, part, made.sha256), f"{name},{part},{made.sha256}"
    assert not lists.is_released("open-human", "unseen", "0" * 64)


def test_the_released_halves_are_those_of_the_styles_that_the_default_recipe_draws():
    """Which poses are of which style stands here; that the recipe is the same for the same seed, in its own tests."""
    from conftest import ROOT

    from repose.config.load import load_files
    from repose.split.meshes import _triples

    settings = load_files(ROOT / "config.yaml").datasets["open-human"]
    grid = {(i, p) for i in range(settings.identities.total) for p in range(settings.poses.total)}
    training = _triples(settings, "train", grid)
    halves = {
        "bent": {161, 162, 165, 168, 169, 170, 174, 175, 177, 179},
        "straight": {160, 167, 171, 172, 176},
    }
    for part, half in halves.items():
        made = lists.derive("open-human", part, _triples(settings, part, grid, half), training)
        assert lists.is_released("open-human", part, made.sha256)


def test_lists_of_licensed_data_have_cards_and_those_of_faust_follow_from_numbers():
    from conftest import ROOT

    from repose.config.load import load_files
    from repose.split.meshes import _triples

    cards = yaml.safe_load((ROOT / "src/repose/benchmark/cards.yaml").read_text())
    datasets = load_files(ROOT / "config.yaml", ROOT / "workflow/presets/owners.yaml").datasets
    released = [
        line.split(",") for line in (ROOT / "src/repose/benchmark/released.csv").read_text().split()[1:]
    ]
    licensed = {f"{name}/{part}" for name, part, _ in released if datasets[name].is_licensed}
    assert cards.keys() == licensed
    for card in cards.values():
        assert set(card) - {"rows_sha256"} == {"what", "rows", "alignment", "unknown"}
    for name, rows in (("faust", 12), ("faust-upright", 4)):
        settings = datasets[name]
        grid = {(i, p) for i in range(10) for p in range(10)}
        made = lists.derive(name, "unseen", *(_triples(settings, part, grid) for part in ("unseen", "train")))
        assert lists.is_released(name, "unseen", made.sha256) and len(made.rows) == rows
        assert lists.known_of(made) == cards[f"{name}/unseen"]
        assert lists.known_of(lists.List(name, "unseen", made.rows[1:])) == {}
