"""The published poses on open bodies: the same turns of the same joints, and what they look like."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from repose.raw import smpl_sampling
from repose.synthetic.open_human.generation import identities_of
from repose.synthetic.open_human.identities import draw_identities
from repose.synthetic.open_human.posing import skin_of, turn_bones
from repose.synthetic.open_human.recipe import Settings
from repose.synthetic.open_npt.generation import generate
from repose.synthetic.open_npt.settings import OpenNpt
from repose.synthetic.open_npt.skeleton import SmplOnAnny

# SMPL's kinematic tree (Loper et al., 2015), and the bone of Anny that stands for each joint which is ever turned.
PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21]
BONES = {0: "root", 1: "upperleg01.L", 2: "upperleg01.R", 3: "spine05", 4: "lowerleg01.L", 5: "lowerleg01.R",
         6: "spine03", 7: "foot.L", 8: "foot.R", 9: "spine01", 12: "neck01", 13: "clavicle.L", 14: "clavicle.R",
         15: "head", 16: "upperarm01.L", 17: "upperarm01.R", 18: "lowerarm01.L", 19: "lowerarm01.R", 20: "wrist.L",
         21: "wrist.R", 22: "finger3-1.L", 23: "finger3-1.R"}  # fmt: skip


@pytest.fixture(scope="module")
def recipe(anny_data):
    return generate(Settings(vertices=600, identities=2, poses=3, seed=1))


@pytest.fixture(scope="module")
def skeleton(anny_data):
    made = identities_of(draw_identities(np.random.default_rng(0), 1), 600)
    return SmplOnAnny(made.bodies.bone_names, made.bodies.bone_parents, made.sampler.arms)


def turned_as(**degrees: list[float]) -> np.ndarray:
    turns = np.zeros((24, 3))
    for joint, angles in degrees.items():
        turns[int(joint.removeprefix("joint"))] = np.radians(angles)
    return turns


def joints(recipe, skeleton, turns: np.ndarray) -> dict[str, np.ndarray]:
    bones = turn_bones(skeleton.pose(turns), recipe.bone_parents)
    return dict(zip(recipe.bone_names.tolist(), skin_of(recipe, 0).joints(bones), strict=True))


def test_a_bone_arrives_where_smpl_s_own_kinematics_turn_its_joint(recipe, skeleton):
    turns = np.random.default_rng(3).normal(0, 0.7, (24, 3))
    turns[[10, 11]] = 0  # toes are never turned
    theirs = Rotation.from_rotvec(turns).as_matrix()
    for joint, parent in enumerate(PARENTS):
        theirs[joint] = theirs[joint] if parent < 0 else theirs[parent] @ theirs[joint]
    zero = turn_bones(skeleton.pose(np.zeros((24, 3))), recipe.bone_parents)
    ours = turn_bones(skeleton.pose(turns), recipe.bone_parents)
    number = {name: k for k, name in enumerate(recipe.bone_names.tolist())}
    for joint, name in BONES.items():
        bone = number[name]
        np.testing.assert_allclose(ours[bone] @ zero[bone].T, theirs[joint], atol=1e-5, err_msg=name)


def test_at_zero_the_arms_are_stretched_and_the_palms_look_down(recipe, skeleton):
    at = joints(recipe, skeleton, np.zeros((24, 3)))
    for side, sign in (("L", 1), ("R", -1)):
        for one, other in (("upperarm01", "lowerarm01"), ("lowerarm01", "wrist")):
            step = at[f"{other}.{side}"] - at[f"{one}.{side}"]
            assert sign * step[0] > 0.99 * np.linalg.norm(step)
        across = at[f"finger5-1.{side}"] - at[f"finger2-1.{side}"]
        assert across[2] < -0.9 * np.linalg.norm(across), "the little finger is behind the forefinger"


def test_joints_bend_as_they_do_on_smpl(recipe, skeleton):
    at = joints(recipe, skeleton, turned_as(joint18=[0, -60, 0], joint1=[-90, 0, 0], joint4=[90, 0, 0]))
    assert at["wrist.L"][2] > at["lowerarm01.L"][2] + 0.1, "the forearm comes to the front"
    assert at["lowerleg01.L"][2] > at["upperleg01.L"][2] + 0.2, "the thigh is raised ahead"
    assert at["foot.L"][1] < at["lowerleg01.L"][1] - 0.2, "the shin hangs from it"
    assert abs(at["wrist.R"][1] - at["lowerarm01.R"][1]) < 0.02, "the other arm stays"


def test_its_poses_are_the_published_ones_and_follow_from_their_numbers(recipe, skeleton):
    assert recipe.styles.tolist() == ["bent"] * 3 and recipe.rejected == 0
    for number in range(3):
        np.testing.assert_allclose(recipe.poses[number], skeleton.pose(smpl_sampling.pose(number)), atol=1e-6)
    assert not np.array_equal(recipe.rest_vertices[0], recipe.rest_vertices[1])


def test_it_is_parted_as_published_and_has_no_pose_at_rest():
    dataset = OpenNpt(source="open-npt")
    assert dataset.raw_settings() == {
        "source": "open-npt", "vertices": 6890, "identities": 30, "poses": 800, "seed": 0
    }  # fmt: skip
    parts = dataset.split_settings("unseen")
    assert parts["identities"]["test"] == list(range(16, 30)) and parts["poses"]["test"] == list(
        range(600, 800)
    )
    assert dataset.rest_pose is None
