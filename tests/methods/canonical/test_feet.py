"""Feet say which way a body faces, under any heading, and nothing of what stands on none."""

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from repose.mesh.spectrum import normalised
from repose.methods.canonical.feet import ahead_by_feet
from repose.methods.canonical.inference import FEET_PENALTY, UP_AXIS_PENALTY, Inference
from repose.methods.canonical.network import CanonicalNetwork
from repose.synthetic.open_animal.generation import generate
from repose.synthetic.open_animal.posing import meshes
from repose.synthetic.open_animal.recipe import Settings

HALF_A_TURN = np.diag([-1.0, 1.0, -1.0])


@pytest.fixture(scope="module")
def horse():
    recipe = generate(Settings(vertices=1200, identities=1, poses=1, seed=3))
    faces = recipe.faces.astype(np.int64)
    return normalised(meshes(recipe, 0, [0])[0].astype(float), faces), faces


@pytest.mark.parametrize("degrees", [0, 90, 200])
def test_feet_point_ahead(horse, degrees):
    vertices, faces = horse
    turn = Rotation.from_euler("y", degrees, degrees=True).as_matrix()
    ahead = ahead_by_feet(vertices @ turn.T, faces)
    assert ahead is not None
    assert ahead @ turn[[0, 2], 2] > 0.9


def test_what_has_no_feet_says_nothing(horse):
    vertices, faces = horse
    ball = trimesh.creation.icosphere(3)
    assert ahead_by_feet(ball.vertices, ball.faces) is None
    back = vertices * [1, 1, -1] + [3, 0, 0]  # beside another one that faces the other way
    assert ahead_by_feet(np.r_[vertices, back], np.r_[faces, faces + len(vertices)]) is None


def test_a_network_that_sees_bodies_back_to_front_is_put_right(horse, monkeypatch):
    vertices, faces = horse
    says = CanonicalNetwork(8, 1, 16, finds_frame=True).inference()
    monkeypatch.setattr(Inference, "upright", lambda self, surface, turn: HALF_A_TURN)
    found = says.candidate_frames(vertices, faces)
    standing = [one for one in found.candidates if one.frame[1, 1] > 0.9]
    assert {(one.frame[2, 2] > 0.9, one.penalty) for one in standing} == {(True, 1.0), (False, FEET_PENALTY)}
    assert found.flipped is None
    monkeypatch.setattr("repose.methods.canonical.inference.ahead_by_feet", lambda vertices, faces: None)
    found = says.candidate_frames(vertices, faces)
    assert [one.frame[2, 2] for one in found.candidates] == [-1], "nothing but the network is left to say it"
    assert found.flipped is not None


@pytest.mark.parametrize(
    ("degrees", "penalty"), [(0, 1.0), (90, 1.0), (50, 1.0), (180, UP_AXIS_PENALTY), (-90, UP_AXIS_PENALTY)]
)
def test_a_body_with_another_axis_up_than_files_have_is_taken_less_easily(
    horse, monkeypatch, degrees, penalty
):
    vertices, faces = horse
    says = CanonicalNetwork(8, 1, 16, finds_frame=True).inference()
    turn = Rotation.from_euler("x", degrees, degrees=True).as_matrix()  # from y up to z up, and on
    monkeypatch.setattr(Inference, "upright", lambda self, surface, start: turn.T)
    monkeypatch.setattr("repose.methods.canonical.inference.ahead_by_feet", lambda vertices, faces: None)
    (found,) = says.candidate_frames(vertices @ turn.T, faces).candidates
    assert found.penalty == penalty
