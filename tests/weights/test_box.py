"""The weights that come with the package: small, with a card, and better than to leave a body as it is."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open

import repose
from repose.mesh.formats.io import write_mesh
from repose.mesh.mesh import Mesh
from repose.mesh.variation import decimated
from repose.store.mesh_store import MeshStore
from repose.synthetic.open_animal.generation import generate
from repose.synthetic.open_animal.posing import meshes
from repose.synthetic.open_animal.recipe import Settings
from repose.weights.model import open_model
from repose.weights.shipped import CARD, KINDS, shipped

DATASETS = {"human": "open-human", "animal": "open-animal"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_weights_are_small_and_carry_their_card(kind):
    assert shipped(kind).stat().st_size < 8 << 20
    assert "canonical" in str(open_model(shipped(kind)))
    with safe_open(shipped(kind), "pt") as file:
        card = json.loads(file.metadata()[CARD])
        assert all(file.get_tensor(name).dtype == torch.float16 for name in file.keys())  # noqa: SIM118
    assert card["run"].startswith(DATASETS[kind]) and card["licence"].split("-")[0] in ("CC0", "MIT")
    assert card["scores"] and card["seconds"] > 0 and len(card["digest"]) == 64


@pytest.fixture(scope="module")
def bodies(smoke):
    """Of each kind the faces, and some triples of identity, pose and truth, (3, V, 3) each."""
    results = smoke.folder / "results"
    store = MeshStore(results / "data" / "open-human" / "meshes.zarr")
    split = pd.read_parquet(results / "splits" / "open-human" / "unseen.parquet").head(3)
    names = split[["identity_mesh", "pose_mesh", "truth_mesh"]].to_numpy()
    people = [store.vertices(np.array([store.index_of(name) for name in row])) for row in names]
    recipe = generate(Settings(vertices=600, identities=3, poses=4, seed=7))
    animals = [
        np.concatenate([meshes(recipe, i, [p]), meshes(recipe, j, [q]), meshes(recipe, i, [q])])
        for i, j, p, q in ((0, 1, 1, 2), (1, 2, 0, 3), (2, 0, 3, 1))
    ]
    return {"human": (store.faces, people), "animal": (recipe.faces, animals)}


@pytest.mark.parametrize("kind", KINDS)
def test_bodies_of_other_triangles_sizes_and_headings_take_the_pose(bodies, kind, tmp_path):
    """The identity faces +x and is ten times as large; the pose mesh has three quarters of its vertices."""
    faces, triples = bodies[kind]
    model = repose.load(kind)
    ours, still = [], []
    for identity, pose, truth in np.asarray(triples, float):
        turned = 10 * identity[:, [2, 1, 0]] * [1, 1, -1]
        write_mesh(tmp_path / "a.ply", Mesh(turned, faces))
        write_mesh(tmp_path / "b.obj", Mesh(*decimated(pose, faces, len(pose) * 3 // 4)))
        found = model.transfer(tmp_path / "a.ply", tmp_path / "b.obj").vertices / 10
        unsaid = repose.load("auto").transfer(tmp_path / "a.ply", tmp_path / "b.obj")
        assert unsaid.kind.weights == kind and np.array_equal(unsaid.vertices / 10, found)
        ours.append(_off(found, truth))
        still.append(_off(identity, truth))
    assert np.mean(ours) < 0.5 * np.mean(still)


def _off(found, truth):
    return np.linalg.norm(found - found.mean(0) - truth + truth.mean(0), axis=1).mean()
