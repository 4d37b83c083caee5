"""The central-geodesic loss, over all vertices and as released."""

import numpy as np
import pytest
import torch
import trimesh
from pydantic import TypeAdapter

from repose.config.models import Method
from repose.methods.build import build
from repose.methods.cgt.recipe import CgtRecipe, central_edges, central_loss, edges_of_first
from repose.methods.losses import TemplateEdges
from tests.methods import reference
from tests.trainings import fit, resumes

FACES = trimesh.creation.icosphere(subdivisions=1).faces
N = 42


def method(faithful=False, **training):
    training = {"steps": 6, "batch": 2, "validate_every": 2, "points": 60} | training
    settings = {"architecture": "cgt", "width": 8, "faithful": faithful, "training": training}
    return TypeAdapter(Method).validate_python(settings)


def drawn():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 2, N, 3, generator=generator, dtype=torch.float64)


def test_it_is_the_published_sum_over_all_vertices():
    predicted, truth = drawn()
    edges, weights = central_edges(FACES)
    plain = [reference.central_loss(p, t, FACES, range(N)) for p, t in zip(predicted, truth, strict=True)]
    ours = central_loss(predicted, truth, edges, weights)
    assert ours.item() == pytest.approx(sum(plain).item() / 2, rel=1e-6)
    assert central_loss(truth + 0.3, truth, edges, weights) < 1e-12, "where the mesh lies does not matter"


def test_as_released_it_is_that_of_the_vertex_which_the_network_sees_first():
    predicted, truth = drawn()
    order = torch.randperm(N, generator=torch.Generator().manual_seed(1))
    edges, _ = TemplateEdges(*central_edges(FACES), N).among(order)
    ours = central_loss(predicted[:, order], truth[:, order], *edges_of_first(edges))
    first = [int(order[0])]
    plain = [reference.central_loss(p, t, FACES, first) for p, t in zip(predicted, truth, strict=True)]
    assert ours.item() == pytest.approx(sum(plain).item() / 2, rel=1e-6)


def test_a_first_vertex_whose_neighbours_are_not_seen_counts_nothing():
    predicted, truth = drawn()
    edges = edges_of_first(torch.tensor([[1, 2], [2, 3]]))
    assert central_loss(predicted, truth, *edges).item() == 0


@pytest.mark.parametrize("faithful", [False, True])
def test_a_step_has_all_terms(worms, worm_splits, faithful):
    settings = method(faithful, points=None, central_weight=0.25, edge_weight=0.5)
    torch.manual_seed(0)
    recipe = CgtRecipe(settings, build(settings), CgtRecipe.read(settings, worms, worm_splits["train"]), 0)
    batch = recipe.data.train.batch([0, 1], np.random.default_rng(0))
    losses = recipe.training_step(batch, 0)
    order = batch.identity_order
    out = recipe.network(batch.identity[:, order], batch.pose[:, batch.pose_order]).vertices
    whole = torch.empty_like(out)
    whole[:, order] = out
    vertices = order[:1].tolist() if faithful else range(len(order))
    plain = [
        reference.central_loss(p, t, worms.faces.tolist(), vertices)
        for p, t in zip(whole, batch.truth, strict=True)
    ]
    assert losses["central"].item() == pytest.approx(0.25 * sum(plain).item() / 2, rel=1e-4)
    total = losses["vertices"] + losses["edges"] + losses["central"]
    assert losses["loss"].item() == pytest.approx(total.item()) and losses["edges"] > 0


@pytest.mark.parametrize("faithful", [False, True])
def test_a_stopped_training_resumes_to_the_same_weights(worms, worm_splits, tmp_path, monkeypatch, faithful):
    resumes(lambda state: fit(method(faithful), worms, worm_splits["train"], state), tmp_path, monkeypatch)
