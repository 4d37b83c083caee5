"""Training of Neural Jacobian Fields: what it may see, its losses, that it learns, exact resume."""

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from repose.config.models import Method
from repose.errors import ReposeError
from repose.methods.build import build
from repose.methods.njf.recipe import NjfRecipe
from tests.trainings import fit, resumes


def method(rest_pose=0, **training):
    training = {"steps": 6, "batch": 2, "validate_every": 2} | training
    settings = {"architecture": "njf", "width": 16, "code": 32, "rest_pose": rest_pose, "training": training}
    return TypeAdapter(Method).validate_python(settings)


def test_it_sees_triples_with_truths_and_both_bodies_at_rest(worms, worm_splits):
    data = NjfRecipe.read(method(), worms, worm_splits["train"])
    rows = worm_splits["train"].query("role == 'train'")
    assert [worms.mesh_ids[row] for row in data.train.rows[:, 2]] == rows.truth_mesh.tolist()
    assert {worms.mesh_ids[row] for row in data.train.rests.ravel()} == {"id0_0", "id1_0"}
    with pytest.raises(ReposeError, match="no mesh 'id0_99' in the store"):
        NjfRecipe.read(method(rest_pose=99), worms, worm_splits["train"])


def test_its_losses_are_errors_of_vertices_and_of_jacobians(worms, worm_splits):
    settings = method(reconstruction_weight=3, jacobian_weight=0.5)
    torch.manual_seed(0)
    network = build(settings)
    torch.nn.init.normal_(network.decoder[-1].weight, std=0.1)
    recipe = NjfRecipe(settings, network, NjfRecipe.read(settings, worms, worm_splits["train"]), 0)
    recipe.log = lambda *args, **named: None
    batch = recipe.data.train.batch(np.array([0, 1]), np.random.default_rng(0))
    losses = recipe.training_step(batch, 0)
    out = network(batch.identity, batch.pose, batch.rests).vertices
    truth = batch.truth - batch.truth.mean(dim=1, keepdim=True)
    assert losses["vertices"].item() == pytest.approx(3 * (out - truth).square().mean().item(), rel=1e-5)
    # Of the true Jacobians nothing is left to learn.
    templates = network.templates.of(batch.rests.identity, batch.rests.identity_faces)
    field = torch.cat([t.jacobians(mesh[None]) for t, mesh in zip(templates, batch.truth, strict=True)])
    network.field = lambda *arguments: field
    exact = recipe.training_step(batch, 0)
    assert exact["jacobians"] < 1e-9 and exact["vertices"] < 1e-9 < losses["jacobians"]


def test_it_learns_to_pose_another_body(worms, worm_splits, tmp_path):
    settings = method(steps=300, batch=4, validate_every=100, learning_rate=1e-3, jacobian_weight=0.1)
    settings = settings.model_copy(update={"width": 32, "code": 64})
    curve = fit(settings, worms, worm_splits["train"], tmp_path).history
    still, *_, trained = curve.val_pmd_m2  # untrained, nobody moves from rest
    assert trained < 0.5 * still


def test_a_stopped_training_resumes_to_the_same_weights(worms, worm_splits, tmp_path, monkeypatch):
    resumes(lambda state: fit(method(), worms, worm_splits["train"], state), tmp_path, monkeypatch)
