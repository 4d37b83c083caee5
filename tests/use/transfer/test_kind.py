"""People or four-legged: told of open animals and of a stick figure under any triangles and heading, or asked for."""

import igl
import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from repose.errors import ReposeError
from repose.mesh.mesh import Mesh
from repose.mesh.variation import decimated
from repose.synthetic.open_animal.generation import generate
from repose.synthetic.open_animal.posing import meshes
from repose.synthetic.open_animal.recipe import Settings
from repose.use.transfer import kind
from repose.use.transfer.kind import Kind, animal_log_odds, kind_of


@pytest.fixture(scope="module")
def animal() -> Mesh:
    recipe = generate(Settings(vertices=600, identities=1, poses=2, seed=3))
    return Mesh(meshes(recipe, 0, [1])[0], recipe.faces)


def as_others_have_it(mesh: Mesh, how: str) -> Mesh:
    vertices, faces = mesh.vertices, mesh.faces.astype(np.int64)
    if how == "coarse":
        return Mesh(*decimated(vertices, faces, 400))
    if how == "turned":
        return Mesh(70 * vertices @ Rotation.random(random_state=1).as_matrix().T + 5, faces)
    if how == "huge":
        for _ in range(3):
            vertices, faces = igl.upsample(vertices, faces, 1)
        return Mesh(vertices, faces)
    ball = trimesh.creation.icosphere(1)  # an eye of its own, and a vertex in no face
    more = vertices.max(axis=0) + 0.02 * ball.vertices
    return Mesh(np.r_[vertices, more, [[9, 9, 9]]], np.r_[faces, ball.faces + len(vertices)])


@pytest.mark.parametrize("how", ["coarse", "turned", "huge", "in pieces"])
def test_an_animal_is_one_however_its_mesh_was_made(animal, how):
    assert animal_log_odds(animal) > kind.LIKELY
    assert animal_log_odds(as_others_have_it(animal, how)) > kind.LIKELY


def test_where_a_leg_has_come_off_nothing_is_told(animal):
    low = animal.vertices[:, 1] < np.quantile(animal.vertices[:, 1], 0.3)
    cut = animal.faces[low[animal.faces].sum(axis=1) % 3 == 0]
    assert animal_log_odds(Mesh(animal.vertices, cut)) == 0


def test_who_is_not_clear_goes_with_the_others_and_nothing_is_guessed(monkeypatch):
    def of(*scores):
        monkeypatch.setattr(kind, "animal_log_odds", lambda score: score)
        return kind_of(*scores)

    assert of(-20.0, -11.0) == Kind("human", "sure")
    assert of(-20.0, 1.0) == Kind("human", "likely") == of(-5.0, -20.0)
    assert "taken as four-legged (sure)" in str(of(12.0, 40.0))
    with pytest.raises(ReposeError, match="cannot tell whether.*say --model human or"):
        of(2.0, -2.9)
    with pytest.raises(
        ReposeError,
        match=r"identity looks like a four-legged animal, the other mesh like a person.*repose.load",
    ):
        of(20.0, -12.0)


def test_of_a_few_vertices_nothing_can_be_told():
    tetrahedron = Mesh(np.r_[np.eye(3), [[0, 0, 0]]], np.array([[0, 1, 2], [0, 3, 1], [1, 3, 2], [2, 3, 0]]))
    assert animal_log_odds(tetrahedron) == 0
