"""Motions of open bodies."""

import numpy as np
import pytest

from repose.errors import ReposeError
from repose.mesh.sequence import foot_slide
from repose.synthetic.motion import RATE, write_motion
from repose.synthetic.open_animal import motion as open_animal
from repose.synthetic.open_animal.generation import generate
from repose.synthetic.open_animal.recipe import Settings
from repose.synthetic.open_human.motion import motion
from repose.synthetic.open_human.recipe import Recipe


@pytest.fixture(scope="module")
def recipe(smoke) -> Recipe:
    """That of the finished run: another one would take 20 seconds."""
    return Recipe.read(smoke.folder / "results/data/open-human/raw.npz")


def test_a_walk_goes_ahead_on_feet_that_hold(recipe):
    frames = motion(recipe, "walk", 0, 40)
    middle = frames.mean(axis=1)
    assert frames[:, :, 1].min(axis=1) == pytest.approx(np.zeros(40), abs=1e-6)
    assert middle[-1, 2] - middle[0, 2] > 0.8, "along +z, in 1.3 seconds"
    speed = (middle[-1, 2] - middle[0, 2]) * RATE / 39
    assert foot_slide(frames, RATE, 0, 0.03) < 0.7 * speed, (
        "soles roll; on the spot they would go as fast as the body"
    )


def test_a_jump_leaves_the_floor_and_comes_back(recipe):
    lowest = motion(recipe, "jump", 0, 30)[:, :, 1].min(axis=1)
    assert lowest[0] == lowest[-1] == 0 and lowest.max() == pytest.approx(0.35, abs=0.03)


def test_who_sits_is_lower_and_another_body_moves_likewise(recipe):
    one, other = (motion(recipe, "sit", identity, 20) for identity in (0, 1))
    for frames in (one, other):
        assert np.ptp(frames[-1, :, 1]) < 0.85 * np.ptp(frames[0, :, 1])
    assert np.abs(one - other).max() > 0.01


def test_ways_through_the_bank_begin_and_end_in_its_poses(recipe):
    from repose.synthetic.open_human.posing import meshes

    frames = motion(recipe, "poses", 1, 10, seed=2)
    stops = np.random.default_rng(2).choice(len(recipe.poses), min(4, len(recipe.poses)), replace=False)
    for frame, pose in ((0, stops[0]), (-1, stops[-1])):
        there = meshes(recipe, 1, [int(pose)])[0]
        gap = (frames[frame] - frames[frame].mean(0)) - (there - there.mean(0))
        assert np.abs(gap).max() < 1e-5


def test_the_file_is_a_motion(recipe, tmp_path):
    recipe.write(tmp_path / "raw.npz")
    write_motion(tmp_path / "raw.npz", "walk", tmp_path / "w.npz", 1, 5, 0)
    with np.load(tmp_path / "w.npz") as found:
        assert np.array_equal(found["vertices"], motion(recipe, "walk", 1, 5)) and found["rate"] == RATE
        assert np.array_equal(found["faces"], recipe.faces)


@pytest.mark.parametrize(
    ("kind", "identity", "what"), [("swim", 0, "walk, jump, sit"), ("walk", 99, "no identity 99")]
)
def test_what_there_is_not_is_one_line(recipe, kind, identity, what):
    with pytest.raises(ReposeError, match=what):
        motion(recipe, kind, identity, 3)


@pytest.fixture(scope="module")
def animals() -> open_animal.Recipe:
    return generate(Settings(vertices=600, identities=2, poses=3, seed=3))


def test_an_animal_walks_ahead_on_feet_that_hold(animals):
    frames = open_animal.motion(animals, "walk", 0, 36)
    middle, height = frames.mean(axis=1), np.ptp(frames[0, :, 1])
    assert frames[:, :, 1].min(axis=1) == pytest.approx(np.zeros(36), abs=1e-6)
    assert middle[-1, 2] - middle[0, 2] > 0.3 * height and np.ptp(middle[:, 1]) < 0.1 * height
    speed = (middle[-1, 2] - middle[0, 2]) * RATE / 35
    assert foot_slide(frames, RATE, 0, 0.02 * height) < 0.8 * speed
    other = open_animal.motion(animals, "walk", 1, 36)
    assert other.shape == frames.shape and np.abs(other - frames).max() > 0.01


def test_ways_go_through_the_poses_that_are_said_and_one_pose_is_no_way(animals):
    still = open_animal.motion(animals, "poses", 1, 4, 0, [0])
    assert np.allclose(np.ptp(still, axis=0), 0, atol=1e-6)
    assert np.allclose(np.ptp(still[0], axis=0), np.ptp(animals.rest_vertices[1], axis=0), atol=1e-5)
    way = open_animal.motion(animals, "poses", 1, 4, 0, [1, 2])
    assert not np.allclose(way[0], way[-1], atol=0.01)


def test_the_command_knows_animals_by_their_recipe(animals, tmp_path):
    animals.write(tmp_path / "raw.npz")
    write_motion(tmp_path / "raw.npz", "walk", tmp_path / "w.npz", 1, 5, 0)
    with np.load(tmp_path / "w.npz") as found:
        assert np.array_equal(found["vertices"], open_animal.motion(animals, "walk", 1, 5))
    with pytest.raises(ReposeError, match=r"no motion 'jump'.*walk, poses"):
        open_animal.motion(animals, "jump", 0, 3)
    with pytest.raises(ReposeError, match=r"no identity 2.*0 to 1"):
        open_animal.motion(animals, "walk", 2, 3)
    with pytest.raises(ReposeError, match="no such recipe"):
        write_motion(tmp_path / "none.npz", "walk", tmp_path / "w.npz", 0, 5, 0)
    np.savez(tmp_path / "other.npz", format="other")
    with pytest.raises(ReposeError, match="format is other, not"):
        write_motion(tmp_path / "other.npz", "walk", tmp_path / "w.npz", 0, 5, 0)
