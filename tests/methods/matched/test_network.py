"""Rotations on a correspondence that a network finds: exact where it is right, sound where it is not in places."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from trimesh.graph import face_adjacency

from repose.config.load import load_files
from repose.errors import ReposeError
from repose.mesh.sheet import turned
from repose.methods.build import create
from repose.methods.interface import Faces
from repose.methods.matched.network import nearest
from repose.methods.matched.sound import filled, sound, turned_where_sound
from repose.methods.shuffle import transfer_shuffled
from tests.worms import worm

ROOT = Path(__file__).parents[3]
REST, FACES = worm(0.5, [0, 0])
REST = REST.astype(float)
BENT = worm(0.5, [0.9, -0.7])[0].astype(float)
ACROSS = face_adjacency(FACES)
SIZES = {
    "corenet": {"width": 16, "residual_blocks": 1, "refine_width": 16},
    "xdualnet": {"width": 16, "neighbours": 8, "refine_width": 16},
}


def test_the_true_correspondence_gives_what_rotations_give():
    assert sound(REST, FACES, BENT, ACROSS).all()
    assert turned_where_sound(REST, FACES, BENT) == pytest.approx(turned(REST, FACES, BENT), abs=1e-12)


def test_what_has_shrunk_to_nothing_is_turned_like_what_is_around_it():
    wrong = BENT.copy()
    some = np.argsort(np.linalg.norm(REST - REST[40], axis=1))[:12]
    wrong[some] = BENT[some].mean(axis=0) + np.random.default_rng(0).normal(0, 1e-3, (12, 3))
    inside = np.isin(FACES, some).all(axis=1)
    kept = sound(REST, FACES, wrong, ACROSS)
    assert inside.sum() > 6 and not kept[inside].any() and kept[~inside].mean() > 0.9
    truth = turned(REST, FACES, BENT)
    plain, ours = (np.square(f(REST, FACES, wrong) - truth).mean() for f in (turned, turned_where_sound))
    assert ours < 0.5 * plain


def test_what_is_folded_over_is_seen():
    """Two neighbours that have changed places turn both faces between them over."""
    folded = REST.copy()
    one, other = FACES[100, :2]
    folded[[one, other]] = REST[[other, one]]
    between = np.isin(FACES, [one, other]).sum(axis=1) == 2
    kept = sound(REST, FACES, folded, ACROSS)
    assert between.sum() == 2 and not kept[between].any() and kept.mean() > 0.9
    assert sound(REST, FACES, REST, ACROSS).all()


def test_a_fill_is_the_mean_of_what_is_around():
    turns = np.tile(Rotation.from_euler("z", 0.4).as_matrix(), (len(FACES), 1, 1))
    kept = np.ones(len(FACES), bool)
    kept[ACROSS[:3].ravel()] = False
    spoilt = turns.copy()
    spoilt[~kept] = Rotation.from_euler("x", 2.0).as_matrix()
    assert filled(spoilt, kept, ACROSS) == pytest.approx(turns, abs=1e-6)
    nothing = filled(spoilt, np.zeros(len(FACES), bool), ACROSS)
    assert nothing == pytest.approx(np.tile(np.eye(3), (len(FACES), 1, 1)), abs=1e-6)


def test_nearest_is_the_point_of_the_nearest_feature():
    draw = torch.Generator().manual_seed(0)
    keys = torch.nn.functional.normalize(torch.randn(2, 30, 8, generator=draw), dim=-1)
    points, order = torch.randn(2, 30, 3, generator=draw), torch.randperm(30, generator=draw)
    assert torch.equal(nearest(keys[:, order], keys, points), points[:, order])


@pytest.mark.parametrize("matching", ["plan", "nearest"])
@pytest.mark.parametrize("system", ["corenet", "xdualnet"])
def test_it_has_the_weights_and_the_warp_of_the_system_and_turns_its_own_faces(system, matching):
    torch.manual_seed(0)
    giver = create(system, **SIZES[system]).eval()
    network = create(f"{system}-rotations", matching=matching, **SIZES[system])
    network.load_state_dict(giver.state_dict())
    network.eval()
    identity, pose = (torch.from_numpy(worm(t, b)[0])[None] for t, b in ((0.5, [0, 0]), (0.3, [0.9, -0.7])))
    faces = Faces(*[torch.from_numpy(FACES).long()] * 2)
    orders = [torch.from_numpy(np.random.default_rng(k).permutation(len(REST))) for k in range(2)]
    with torch.inference_mode():
        out = transfer_shuffled(network, identity, pose, *orders, faces)
        warp = transfer_shuffled(giver, identity, pose, *orders, faces).warp
    found = turned_where_sound(identity[0].double().numpy(), FACES, out.warp[0].double().numpy())
    assert out.vertices[0].numpy() == pytest.approx(found, abs=1e-3), "in any order of vertices"
    if matching == "plan":
        assert torch.allclose(out.warp, warp, atol=1e-5)
    else:
        distances = torch.cdist(out.warp, pose).amin(-1)
        assert distances.max() < 1e-6, "vertices of the pose mesh"


def test_the_preset_has_both_with_all_settings_of_their_givers():
    config = load_files(ROOT / "config.yaml", ROOT / "workflow" / "presets" / "correspondence.yaml")
    assert (
        config.trained_by("xdualnet-nearest") == "xdualnet"
        and config.trained_by("corenet-rotations") == "corenet"
    )
    rows = ("xdualnet", "xdualnet-rotations")
    own, theirs = (config.methods[name].model_dump() for name in rows)
    assert {key for key in theirs if own.get(key) != theirs[key]} == {
        "architecture",
        "weights_of",
        "matching",
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{like: corenet, architecture: corenet-rotations}", "weights_of.* is missing|weights_of"),
        ("{like: corenet, architecture: corenet-rotations, weights_of: npt}", "'npt' has no such training"),
        (
            "{like: corenet, architecture: corenet-rotations, weights_of: corenet, width: 8}",
            "has another width",
        ),
        ("{like: corenet, architecture: corenet-rotations, weights_of: corenet, finish: icp}", "finish"),
    ],
)
def test_it_needs_the_weights_of_a_system_with_the_same_settings(tmp_path, line, said):
    more = tmp_path / "more.yaml"
    more.write_text(f"methods:\n  mine: {line}\n")
    with pytest.raises(ReposeError, match=said):
        load_files(ROOT / "config.yaml", more)
