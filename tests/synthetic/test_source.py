"""The interface between raw data and conversion, on the generated datasets."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from repose.synthetic.open_animal import generation as animals
from repose.synthetic.open_animal import posing as animal_posing
from repose.synthetic.open_animal.settings import OpenAnimal
from repose.synthetic.open_human import posing as human_posing
from repose.synthetic.open_human.settings import OpenHuman

PARTS = {"train": 1, "val": 1, "test": 1}


@pytest.fixture(scope="module")
def animal():
    return animals.generate(animals.Settings(vertices=700, identities=2, poses=3, seed=3))


@pytest.fixture(params=["human", "animal"])
def made(request, tmp_path):
    """A recipe, the dataset it belongs to and its source."""
    recipe = request.getfixturevalue("recipe" if request.param == "human" else "animal")
    kind = OpenHuman if request.param == "human" else OpenAnimal
    dataset = kind(source=f"open-{request.param}", identities=PARTS, poses=PARTS)
    recipe.write(tmp_path / "raw.npz")
    return recipe, dataset, dataset.open_source(tmp_path / "raw.npz")


def test_items_are_every_identity_in_every_pose_and_meshes_are_the_generator_s(made):
    recipe, dataset, source = made
    items = source.items()
    numbers = [(item.identity, item.pose) for item in items]
    assert numbers == [(i, p) for i in range(len(recipe.rest_vertices)) for p in range(len(recipe.poses))]
    assert len({item.key for item in items}) == len(items)
    posing = human_posing if dataset.source == "open-human" else animal_posing
    chosen = [items[-1], items[0], items[1]]
    for item, mesh in zip(chosen, pickle.loads(pickle.dumps(source)).meshes(chosen), strict=True):
        expected = posing.meshes(recipe, item.identity, [item.pose])[0]
        assert np.array_equal(mesh.vertices, expected) and np.array_equal(mesh.faces, recipe.faces)
    assert source.licence == {"open-human": "CC0-1.0", "open-animal": "MIT"}[dataset.source]


def test_a_key_changes_with_the_rows_of_its_mesh_alone(made, tmp_path):
    recipe, dataset, source = made
    before = source.items()
    poses, rest = recipe.poses.copy(), recipe.rest_vertices.copy()
    poses[1, 0, 0] += 0.1
    rest[0, 5, 2] += 0.1
    changed = {"poses": poses, "rest_vertices": rest, "faces": recipe.faces[::-1].copy()}
    for name, expected in {
        "poses": lambda item: item.pose == 1,
        "rest_vertices": lambda item: item.identity == 0,
        "faces": lambda item: True,
    }.items():
        replace(recipe, **{name: changed[name]}).write(tmp_path / f"{name}.npz")
        after = dataset.open_source(tmp_path / f"{name}.npz").items()
        assert [a.key != b.key for a, b in zip(after, before, strict=True)] == [expected(b) for b in before]


def test_what_no_vertex_follows_from_changes_no_key(made, tmp_path):
    recipe, dataset, source = made
    replace(recipe, candidates=recipe.candidates + 7, styles=recipe.styles[::-1]).write(tmp_path / "b.npz")
    assert dataset.open_source(tmp_path / "b.npz").items() == source.items()
