"""Cascaded diffusion of poses: the noise, the transformers, drawing for bodies of any topology."""

import numpy as np
import pytest
import torch
import trimesh
from safetensors.torch import save_file

from repose.methods.interface import RestBody
from repose.methods.load import load_weights
from repose.methods.npr_diffusion.denoiser import Denoiser, waves
from repose.methods.npr_diffusion.network import NprDiffusion, PoseCodes
from repose.methods.npr_diffusion.noise import STEPS, Noise
from tests.methods.npr.test_transfer import COARSE, FINE, SMALL, bodies


def network(anchors="rest", sampler_steps=4, predicts="velocity"):
    torch.manual_seed(0)
    made = NprDiffusion({"anchors": anchors, **SMALL}, 8, 1, sampler_steps, predicts)
    for parameter in made.npr.applier.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    rest, faces = bodies(FINE, 1)[0], torch.from_numpy(np.asarray(FINE.faces)).long()
    (template,) = made.npr.templates.of(rest[None], faces)
    made.learn_statistics(rest, faces, made.codes(bodies(FINE, 5, 3), template))
    return made.eval()


def body(mesh):
    return RestBody(bodies(mesh, 1)[0], torch.from_numpy(np.asarray(mesh.faces)).long(), bodies(mesh, 2, 7))


def drawn(seed=0):
    return torch.Generator().manual_seed(seed)


def test_at_half_of_salads_width_there_are_as_many_parameters_as_in_the_specification():
    first, second = Denoiser(3, 0, 256, 6), Denoiser(256, 3, 256, 6)
    assert [sum(p.numel() for p in net.parameters()) for net in (first, second)] == [4_398_083, 10_050_816]


def test_noise_is_all_that_is_left_and_steps_are_told_apart():
    noise = Noise()
    assert noise.kept[-1] < 1e-10 and noise.kept[99].item() == pytest.approx(0.773, abs=5e-4)
    one, last, before = waves(torch.tensor([0, STEPS - 1, STEPS - 2]))
    assert (one - last).norm() > 10 and (last - before).norm() > 2


@pytest.mark.parametrize("steps", [None, 20])
def test_who_knows_the_noise_gets_the_data_back(steps):
    noise, data = Noise(), torch.randn(3, 5, 2, generator=drawn())

    def oracle(x, step):
        kept = noise.kept[step].reshape(-1, 1, 1)
        return ((x - kept.sqrt() * data) / (1 - kept).sqrt()).float()

    out = noise.removed(oracle, torch.randn(3, 5, 2, generator=drawn(1)), steps, drawn(2))
    assert torch.allclose(out, data, atol=1e-3)


def test_added_noise_has_the_variance_of_its_step():
    noise, x = Noise(), torch.ones(2, 50_000)
    out = noise.added(x, torch.tensor([99, 999]), torch.randn(2, 50_000, generator=drawn()))
    assert out.mean(1).tolist() == pytest.approx([0.773**0.5, 0], abs=0.02)
    assert out.var(1).tolist() == pytest.approx([1 - 0.773, 1], abs=0.02)


@pytest.mark.parametrize("predicts", ["noise", "velocity"])
def test_who_says_what_is_asked_for_has_no_error_and_draws_the_data(predicts):
    net, data = network(sampler_steps=20, predicts=predicts), torch.randn(1, 12, 3, generator=drawn())
    noise, step = torch.randn(4, 12, 3, generator=drawn(1)), torch.tensor([0, 40, 300, 999])

    def oracle(x, step, given):
        kept = net.noise.kept[step].reshape(-1, 1, 1)
        inside = (x - kept.sqrt() * data) / (1 - kept).sqrt()
        velocity = kept.sqrt() * inside - (1 - kept).sqrt() * data
        return (inside - x if predicts == "noise" else velocity).float()

    assert net.error(oracle, data.expand(4, -1, -1), step, noise, None) < 1e-6
    assert net.error(lambda x, step, given: 0 * x, data.expand(4, -1, -1), step, noise, None) > 0.1
    del net.keypoints, net.features
    net.keypoints, net.features = oracle, lambda x, step, given: 0 * x
    seen = []
    net.given = lambda points=None: seen.append(points)
    net.sample(3, drawn(2))
    assert torch.allclose(seen[1], data.expand(3, -1, -1), atol=1e-3)


def test_tokens_have_no_order():
    torch.manual_seed(0)
    net = Denoiser(6, 3, 16, 2)
    x, given, step = torch.randn(2, 7, 6), torch.randn(2, 7, 3), torch.tensor([3, 500])
    order = torch.randperm(7)
    out = net(x, step, given)
    assert torch.allclose(net(x[:, order], step, given[:, order]), out[:, order], atol=1e-5)
    assert not torch.allclose(net(x, step, given.flip(1)), out, atol=1e-3), "what is given does not matter"


@pytest.mark.parametrize("anchors", ["posed", "rest"])
def test_any_body_gets_poses_and_a_seed_gets_the_same_ones(anchors):
    net = network(anchors)
    for mesh in (FINE, COARSE):
        out = net.make(body(mesh), 3, drawn())
        assert out.shape == (3, len(mesh.vertices), 3) and out.isfinite().all()
        assert torch.equal(net.make(body(mesh), 3, drawn()), out)
        assert not torch.allclose(net.make(body(mesh), 3, drawn(1)), out, atol=1e-3)


def test_the_poses_of_one_seed_are_the_same_for_all_bodies_and_steps_of_noise_count():
    net, few = network(sampler_steps=40), network(sampler_steps=4)
    all_steps = net.sample(1, drawn()).features
    assert torch.equal(net.sample(1, drawn()).features, all_steps)
    assert not torch.allclose(few.sample(1, drawn()).features, all_steps, atol=1e-3)


@pytest.mark.parametrize("anchors", ["posed", "rest"])
def test_weights_alone_hold_the_body_and_the_statistics(anchors, tmp_path):
    net = network(anchors)
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, tmp_path / "w.safetensors")
    fresh = NprDiffusion({"anchors": anchors, **SMALL}, 8, 1, 4, "velocity")
    again = load_weights(fresh, tmp_path / "w.safetensors", "npr-diffusion")
    assert torch.equal(again.rest, net.rest) and torch.equal(again.faces, net.faces)
    assert torch.equal(again.make(body(COARSE), 2, drawn()), net.make(body(COARSE), 2, drawn()))


def test_codes_are_standardised_and_each_keypoint_of_a_body_at_rest_by_itself():
    fixed = network("rest")
    (template,) = fixed.npr.templates.of(fixed.rest[None], fixed.faces)
    codes = fixed.standardised(fixed.codes(bodies(FINE, 5, 3), template))
    assert max(part.mean(0).abs().max() for part in codes) < 1e-4
    assert codes.points.std() == pytest.approx(1, abs=0.01)
    net = network("posed")
    (template,) = net.npr.templates.of(net.rest[None], net.faces)
    codes = net.standardised(net.codes(bodies(FINE, 5, 3), template))
    assert isinstance(codes, PoseCodes)
    for part in codes:
        assert part.flatten(0, 1).mean(0).abs().max() < 1e-4
    assert codes.features.flatten(0, 1).std(0).numpy() == pytest.approx(1, abs=1e-3)
    assert codes.points.std() == pytest.approx(1, abs=0.01)


def test_keypoints_at_rest_are_followed_into_the_pose():
    net = network("rest")
    (template,) = net.npr.templates.of(net.rest[None], net.faces)
    at_rest = net.codes(net.rest[None], template).points[0]
    shift = template.posed_centroids(net.rest[None])[0] - template.centroids
    assert torch.allclose(at_rest, net.rest_points + shift[0], atol=1e-5)
    assert (
        trimesh.proximity.ProximityQuery(trimesh.Trimesh(template.rest, FINE.faces))
        .vertex(net.rest_points)[0]
        .max()
        < 0.2
    )
