"""Refinement of codes for one target."""

import numpy as np
import pytest
import torch
import trimesh
from safetensors.torch import save_file

from repose.mesh.operators import unique_edges
from repose.mesh.rests import Rests
from repose.methods.build import count_parameters
from repose.methods.load import load_weights
from repose.methods.npr.network import Npr
from repose.methods.npr.refinement import Distortion, Refiner, refine, refined
from repose.methods.npr.template import Template

SMALL = {
    "width": 8,
    "fine_width": 6,
    "middle": 30,
    "keypoints": 12,
    "attention": 8,
    "hidden": 8,
    "anchors": "rest",
}
SPHERE = trimesh.creation.icosphere(subdivisions=1)
REST, FACES = np.asarray(SPHERE.vertices) * [0.4, 1, 0.6], np.asarray(SPHERE.faces)


@pytest.fixture
def network():
    torch.manual_seed(0)
    made = Npr(**SMALL, refine_steps=20)
    for parameter in made.applier.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return made


@pytest.fixture
def template():
    return Template(REST, FACES)


def bodies(count, seed=0):
    noise = torch.randn(count, len(REST), 3, generator=torch.Generator().manual_seed(seed))
    return torch.tensor(REST).float() + 0.1 * noise


def distortion_of(network, template, code):
    measure, posed = Distortion(template), network.transfer(code, [template] * len(code.features))
    return float(measure.laplacian(posed) + measure.edge_lengths(posed))


def test_it_has_the_size_of_the_specification_and_changes_nothing_at_first():
    refiner, points, features = Refiner(256), torch.randn(1, 12, 3), torch.randn(2, 12, 256)
    assert count_parameters(refiner) == 1_187_331
    new_points, new_features = refiner(points, features)
    assert torch.equal(new_points, points.expand(2, -1, -1)) and torch.equal(new_features, features)


def test_the_order_of_keypoints_does_not_matter():
    refiner, points, features = Refiner(8), torch.randn(2, 12, 3), torch.randn(2, 12, 8)
    torch.nn.init.normal_(refiner.leave.weight)
    order = torch.randperm(12)
    for out, other in zip(
        refiner(points, features), refiner(points[:, order], features[:, order]), strict=True
    ):
        assert torch.allclose(out[:, order], other, atol=1e-4)


def test_distortion_is_the_published_formulas(template):
    measure, posed = Distortion(template), 1.3 * bodies(2)
    scale = np.ptp(REST, axis=0).max()
    rest = (REST - (REST.min(0) + REST.max(0)) / 2) / scale
    edges = unique_edges(FACES)
    weights = np.zeros((len(REST), len(REST)))
    for a, b, c in FACES:
        for i, j, k in ((a, b, c), (b, c, a), (c, a, b)):
            u, v = rest[i] - rest[k], rest[j] - rest[k]
            weights[i, j] += (u @ v) / np.linalg.norm(np.cross(u, v)) / 2
            weights[j, i] = weights[i, j]
    laplacian, change = [], []
    for mesh in posed.double().numpy() / scale:
        d = mesh - rest
        laplacian.append(np.linalg.norm(d - weights @ d / weights.sum(1, keepdims=True), axis=1).mean())
        lengths, own = (np.linalg.norm(x[edges[:, 0]] - x[edges[:, 1]], axis=1) for x in (mesh, rest))
        change.append(np.abs(lengths - own).mean() / own.mean())
    assert measure.laplacian(posed).item() == pytest.approx(np.mean(laplacian), rel=1e-4)
    assert measure.edge_lengths(posed).item() == pytest.approx(np.mean(change), rel=1e-4)
    assert measure.edge_lengths(torch.tensor(REST).float()[None]) < 1e-6


def test_it_lessens_the_distortion_of_the_target_and_leaves_the_network_alone(network, template):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    code = network.encode(bodies(6), [template] * 6)
    stored = code.points.detach(), code.features.detach()
    refiner = refine(network, template, *stored, steps=40)
    change = distortion_of(network, template, refined(network, refiner, code)) / distortion_of(
        network, template, code
    )
    assert 0.3 < change < 0.999
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    again = refine(network, template, *stored, steps=40)
    assert all(torch.equal(a, b) for a, b in zip(refiner.parameters(), again.parameters(), strict=True))


def test_stored_codes_make_a_prediction_refine_its_targets(network, template, tmp_path):
    code, faces = network.encode(bodies(6), [template] * 6), torch.from_numpy(FACES).long()
    rest = torch.tensor(REST).float()[None]
    rests = Rests(rest, rest, faces, faces)
    plain = network(rest, bodies(1), rests).vertices
    state = network.state_dict() | {
        "code_points": code.points.detach(),
        "code_features": code.features.detach(),
    }
    save_file({k: v.contiguous() for k, v in state.items()}, tmp_path / "w.safetensors")
    loaded = load_weights(Npr(**SMALL, refine_steps=20), tmp_path / "w.safetensors", "npr")
    with torch.inference_mode():
        out = loaded(rest, bodies(1), rests).vertices
        again = loaded(rest, bodies(1), rests).vertices
    assert torch.equal(out, again) and not torch.allclose(out, plain, atol=1e-3)
    unrefined = load_weights(Npr(**SMALL), tmp_path / "w.safetensors", "npr")
    assert torch.equal(unrefined(rest, bodies(1), rests).vertices, plain)
