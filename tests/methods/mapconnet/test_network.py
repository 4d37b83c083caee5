import numpy as np
import pytest
import torch

from repose.bench import plain_corenet as plain_form
from repose.mesh.operators import edge_uses
from repose.methods.layers.gather import gathered
from repose.methods.mapconnet.consistency import labelled_loss, unlabelled_loss
from repose.methods.mapconnet.network import MapConNet
from repose.methods.mapconnet.settings import MapConNetTraining
from tests.methods.helpers import assert_single_precision, enliven, gradient_errors, relative, twins

N, M = 47, 61
SETTINGS = MapConNetTraining(steps=1)


def labelled(network, identity, pose, truth, edges, settings):
    """Our loss with a truth; a result should have the edge lengths of the identity, as released."""
    return labelled_loss(network, identity, pose, truth, identity, edges, settings)


LOSSES = {
    "labelled": (labelled, plain_form.labelled_loss),
    "unlabelled": (unlabelled_loss, plain_form.unlabelled_loss),
}


def small(faithful=False, seed=0):
    torch.manual_seed(seed)
    return MapConNet(width=16, identity_channels=6, residual_blocks=2, refine_width=32, faithful=faithful)


def meshes(kind, near, dtype, seed=3):
    """Three meshes: identity (or body B), pose (A in pose 1), truth (or A in pose 2); unequal vertex counts."""
    torch.manual_seed(seed)
    first = torch.randn(2, N, 3, dtype=torch.float64)
    second = torch.randn(2, M, 3, dtype=torch.float64)
    if near:
        second = torch.cat([first, first[:, : M - N]], 1) + 0.01 * second
    third = torch.randn_like(first if kind == "labelled" else second)
    if near:
        third = 0.01 * third + (first if kind == "labelled" else second)
    return first.to(dtype), second.to(dtype), third.to(dtype)


def topology(count):
    """Random faces, and their edges with weights in double precision."""
    faces = np.random.default_rng(0).permuted(np.tile(np.arange(count), (2 * count, 1)), axis=1)[:, :3]
    edges, uses = edge_uses(faces)
    return faces, (torch.from_numpy(edges).long(), torch.from_numpy(uses / len(faces)))


def losses(kind, faithful, near, alive, dtype):
    """Our net and its plain twin, and the two losses as functions of them."""
    ours, plain = twins(enliven(small(faithful)) if alive else small(faithful), dtype)
    data = meshes(kind, near, dtype)
    faces, edges = topology(N if kind == "labelled" else M)
    loss, plain_loss = LOSSES[kind]
    return (
        ours,
        plain,
        lambda n: loss(n, *data, edges, SETTINGS),
        lambda n: plain_loss(n, *data, faces, SETTINGS),
    )


def test_parameter_counts_as_released():
    with torch.device("meta"):
        net = MapConNet(faithful=True)
    assert sum(p.numel() for p in net.parameters()) == 23_773_319
    assert sum(p.numel() for p in net.refinement.parameters()) == 23_073_795
    assert sum(p.numel() for p in net.correspondence.parameters()) == 699_524


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("faithful", [False, True])
@pytest.mark.parametrize("near", [False, True])
@pytest.mark.parametrize("alive", [False, True])
def test_iterations_equal_the_plain_form(kind, faithful, near, alive):
    ours, plain, run_ours, run_plain = losses(kind, faithful, near, alive, torch.float64)
    assert relative(run_ours(ours), run_plain(plain)) < 1e-8  # also moves the spectral vectors of both once
    errors = gradient_errors(ours, plain, run_ours, run_plain)
    assert max(errors.values()) < 1e-8, errors
    for name, buffer in ours.named_buffers():
        assert relative(buffer, dict(plain.named_buffers())[name]) < 1e-8


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("near", [False, True])
def test_single_precision_is_as_near_to_the_truth_as_the_plain_form(kind, near):
    faces, (edges, weights) = topology(N if kind == "labelled" else M)
    loss, plain_loss = LOSSES[kind]

    def draw(seed):
        net = small(seed=seed)
        return enliven(net, seed) if seed % 2 else net, meshes(kind, near, torch.float32, seed)

    def gradient(loss, net, *arguments):
        loss(net, *arguments, SETTINGS).backward()
        return torch.cat([p.grad.flatten() for p in net.parameters() if p.requires_grad])

    # Gradients jump where an assignment, an edge's sign or a hinge turns over, in either form: their errors scatter
    # much more than those of results. And an unlabelled iteration transports what it has transported.
    assert_single_precision(
        draw,
        lambda net, *data: gradient(loss, net, *data, (edges, weights)),
        lambda net, *data: gradient(plain_loss, net, *data, faces),
        networks=5,
        factor=10,
        furthest=1e-3,
    )


def test_half_precision_reaches_every_parameter():
    net, half = twins(small(), torch.float32)
    data, edges = meshes("unlabelled", False, torch.float32), topology(M)[1]
    unlabelled_loss(net, *data, edges, SETTINGS).backward()
    with torch.autocast("cpu", torch.bfloat16):
        loss = unlabelled_loss(half, *data, edges, SETTINGS)
    loss.backward()
    for name, p in half.named_parameters():
        assert not p.requires_grad or (p.grad.isfinite().all() and p.grad.any()), name
    whole, rough = (torch.cat([p.grad.flatten() for p in n.refinement.parameters()]) for n in (net, half))
    assert torch.nn.functional.cosine_similarity(whole, rough, dim=0) > 0.9
    assert 0.8 < rough.norm() / whole.norm() < 1.25


def permuted_difference(net):
    identity, pose, _ = meshes("labelled", False, torch.float64)
    p, q = torch.randperm(N), torch.randperm(M)
    net = net.double().eval()
    return relative(net(identity[:, p], pose[:, q]).vertices, net(identity, pose).vertices[:, p])


def test_default_does_not_depend_on_vertex_order():
    assert permuted_difference(enliven(small())) < 1e-9


def test_faithful_depends_on_vertex_order():
    assert permuted_difference(enliven(small(faithful=True))) > 1e-3


def test_the_generator_sees_the_identity_half_only():
    net = enliven(small()).double().eval()
    warp, features = torch.randn(1, N, 3).double(), torch.randn(1, N, 16).double()
    other = torch.cat([features[..., :6], torch.randn(1, N, 10).double()], dim=-1)
    assert torch.equal(net.refine(warp, features), net.refine(warp, other))


def test_a_gather_equals_the_product_with_a_one_hot_matrix():
    features = torch.randn(2, M, 5, requires_grad=True)
    assignment = torch.randint(M, (2, N))
    one_hot = torch.nn.functional.one_hot(assignment, M).float() @ features
    assert torch.equal(gathered(features, assignment), one_hot)
    weight = torch.randn(2, N, 5)
    ours, plain = (
        torch.autograd.grad((x * weight).sum(), features)[0]
        for x in (gathered(features, assignment), one_hot)
    )
    assert torch.allclose(ours, plain, atol=1e-6)


def test_the_first_pass_gives_the_generator_no_gradient():
    net = small().double()
    data = meshes("unlabelled", False, torch.float64)
    settings = SETTINGS.model_copy(update={"reconstruction_weight": 0.0, "edge_weight": 0.0})
    unlabelled_loss(net, *data, topology(M)[1], settings).backward()
    assert all(p.grad is None or not p.grad.any() for p in net.refinement.parameters())
    assert any(p.grad.any() for p in net.correspondence.parameters() if p.grad is not None)
