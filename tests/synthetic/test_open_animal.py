"""The procedural quadruped: one closed mesh, the same bytes for the same seed, bodies that are sound."""

from __future__ import annotations

import numpy as np
import pytest

from repose.errors import ReposeError
from repose.mesh.intersections import intersecting_faces
from repose.mesh.operators import components, is_closed_manifold, volume
from repose.synthetic.open_animal.anatomy import AVERAGE, NAMES, PARENTS, SPECIES, build_anatomy
from repose.synthetic.open_animal.generation import generate, kinship
from repose.synthetic.open_animal.poses import STYLES, PoseSampler
from repose.synthetic.open_animal.posing import meshes, turn_bones
from repose.synthetic.open_animal.recipe import Recipe, Settings
from repose.synthetic.open_animal.shape import field

SMALL = Settings(vertices=1000, identities=3, poses=5, seed=7)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return generate(SMALL)


def test_one_closed_mesh_of_exactly_the_wanted_size(recipe):
    assert recipe.faces.shape == (2 * 1000 - 4, 3)
    assert is_closed_manifold(recipe.faces) and components(recipe.faces) == 1
    assert np.array_equal(np.unique(recipe.faces), np.arange(1000))


def test_meshes_are_sound_in_every_pose(recipe):
    for identity in range(3):
        made = meshes(recipe, identity, range(5))
        assert made.shape == (5, 1000, 3) and made.dtype == np.float32
        rest = volume(recipe.rest_vertices[identity].astype(float), recipe.faces)
        assert rest > 0.02
        for vertices in made:
            assert volume(vertices.astype(float), recipe.faces) == pytest.approx(rest, rel=0.25)
            assert intersecting_faces(vertices, recipe.faces).mean() < 0.05


def test_meshes_are_posed_one_by_one_as_in_a_batch(recipe):
    together = meshes(recipe, 1, [4, 0, 2])
    assert np.array_equal(together[1], meshes(recipe, 1, [0])[0])


def test_the_rest_pose_stands_on_four_feet_facing_ahead(recipe):
    for vertices in recipe.rest_vertices:
        low = vertices[:, 1] < vertices[:, 1].min() + 0.04
        for left in (True, False):
            for fore in (True, False):
                assert (low & ((vertices[:, 0] > 0) == left) & ((vertices[:, 2] > 0.1) == fore)).any()
        nose = vertices[np.argmax(vertices[:, 2])]
        assert abs(nose[0]) < 0.05 and nose[1] > 0


def test_same_seed_same_bytes(recipe, tmp_path):
    recipe.write(tmp_path / "a.npz")
    generate(SMALL).write(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    back = Recipe.read(tmp_path / "a.npz")
    assert np.array_equal(meshes(back, 2, [1]), meshes(recipe, 2, [1]))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_a_torn_or_foreign_recipe_is_refused(recipe, tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(ReposeError, match="no such recipe"):
        Recipe.read(path)
    recipe.write(path)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ReposeError, match="torn"):
        Recipe.read(path)
    np.savez(path, format=np.array("something else"))
    with pytest.raises(ReposeError, match="something else"):
        Recipe.read(path)


@pytest.mark.parametrize("wrong", [{"vertices": 10}, {"identities": 0}, {"poses": 0}, {"seed": -1}])
def test_settings_that_cannot_be(wrong):
    with pytest.raises(ReposeError, match=f"open-animal: {next(iter(wrong))}"):
        Settings(**wrong)


def test_eight_species_or_more_and_all_differ():
    assert len(SPECIES) >= 8
    heads = np.stack([build_anatomy(build).heads for build in SPECIES.values()])
    apart = np.linalg.norm(heads[:, None] - heads[None], axis=-1).mean(axis=-1)
    assert apart[~np.eye(len(heads), dtype=bool)].min() > 0.01


def test_bones_lie_inside_the_flesh():
    for build in SPECIES.values():
        anatomy = build_anatomy(build)
        middles = (anatomy.heads + anatomy.tails) / 2
        assert (field(anatomy, middles) < 0).all()


@pytest.mark.parametrize("style", STYLES)
def test_legs_never_cross(style):
    average = build_anatomy(AVERAGE)
    sampler, rng = PoseSampler(average.heads, average.tails), np.random.default_rng(0)
    for _ in range(10):
        drawn, pose = sampler.draw(rng, style)
        assert drawn == style and pose.dtype == np.float32
        turned, placed = turn_bones(pose[None], average.heads)
        for part, frame in (("hand", "chest"), ("foot", "pelvis")):
            left, right = (placed[0, NAMES.index(f"{part}.{side}")] for side in "LR")
            assert (left - right) @ turned[0, NAMES.index(frame)][:, 0] > 0


def test_parents_come_first_and_kin_is_symmetric():
    assert all(parent < bone for bone, parent in enumerate(PARENTS))
    kin = kinship()
    assert np.array_equal(kin, kin.T)
    assert kin[NAMES.index("shin.L"), NAMES.index("spine1")]
    assert not kin[NAMES.index("head"), NAMES.index("chest")]
