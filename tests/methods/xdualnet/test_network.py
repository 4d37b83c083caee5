import pytest
import torch

from repose.methods.build import count_parameters
from repose.methods.corenet.network import Refinement
from repose.methods.layers.statistics import unit
from repose.methods.xdualnet import graph
from repose.methods.xdualnet.matching import there_and_back
from repose.methods.xdualnet.network import SetCorrespondence, XDualNet
from repose.methods.xdualnet.set_convolution import SetConvolution
from tests.methods import reference
from tests.methods.helpers import assert_single_precision, enliven, gradient_errors, relative, twins

N, M = 47, 61


def small(faithful=False, seed=0, **settings):
    torch.manual_seed(seed)
    return XDualNet(width=16, neighbours=7, refine_width=32, faithful=faithful, **settings)


def meshes(dtype=torch.float64, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        torch.randn(2, count, 3, generator=generator, dtype=torch.float64).to(dtype) for count in (N, M)
    )


def test_parameter_counts_as_released():
    with torch.device("meta"):
        net = XDualNet(faithful=True)
    assert count_parameters(net) == 23_129_155
    assert count_parameters(net.correspondence) == 55_360
    assert [count_parameters(layer) for layer in net.correspondence.feat_conv] == [2_432, 10_816, 42_112]
    assert count_parameters(net.refinement) == 23_073_795


def test_the_matcher_draws_its_weights_before_the_generator():
    net = small()
    torch.manual_seed(0)
    matcher, generator = SetCorrespondence(16, 7), Refinement(32, 16)
    assert list(net.state_dict()) == [
        *(f"correspondence.{name}" for name in matcher.state_dict()),
        *(f"refinement.{name}" for name in generator.state_dict()),
    ]
    assert all(torch.equal(net.refinement.state_dict()[k], x) for k, x in generator.state_dict().items())


@pytest.mark.parametrize("faithful", [False, True])
@pytest.mark.parametrize("alive", [False, True])
def test_equals_plain_formula(faithful, alive):
    ours, plain = twins(enliven(small(faithful)) if alive else small(faithful), torch.float64)
    identity, pose = meshes()
    truth = torch.randn(2, N, 3, dtype=torch.float64)

    def loss(vertices, warp):
        return (vertices - truth).square().mean() + 0.1 * (warp - truth).square().mean()

    errors = gradient_errors(
        ours,
        plain,
        lambda n: loss(*n(identity, pose)[:2]),
        lambda n: loss(*reference.xdualnet(n, identity, pose)),
    )
    assert max(errors.values()) < 1e-8, errors
    ours.eval(), plain.load_state_dict(ours.state_dict()), plain.eval()
    for a, b in zip(ours(identity, pose)[:2], reference.xdualnet(plain, identity, pose), strict=True):
        assert relative(a, b) < 1e-8


def test_single_precision_is_as_near_to_the_truth_as_the_plain_form():
    assert_single_precision(
        lambda seed: (enliven(small(seed=seed), seed), meshes(torch.float32, seed)),
        lambda net, *pair: net(*pair).vertices,
        lambda net, *pair: reference.xdualnet(net, *pair)[0],
        factor=4,  # the maximum over neighbours has kinks
    )


def test_the_gradient_of_a_set_convolution_is_that_of_its_formula():
    torch.manual_seed(0)
    layer = SetConvolution(5, 4).double()
    with torch.no_grad():
        for norm in (layer.norm1, layer.norm2, layer.norm3):
            norm.weight.normal_(), norm.bias.normal_()  # of both signs: a maximum that is no minimum
    x = torch.randn(2, 9, 5, dtype=torch.float64, requires_grad=True)
    vertices = torch.randn(2, 9, 3, dtype=torch.float64, requires_grad=True)
    near = graph.neighbourhoods(vertices, 4)
    leaves = [x, *layer.parameters()]
    found = []
    for out in (layer(x, vertices, near), reference.set_convolution(x, vertices, near, layer)):
        found.append((out, torch.autograd.grad(out.sin().sum(), [*leaves, vertices], allow_unused=True)))
    (ours, g_ours), (plain, g_plain) = found
    assert relative(ours, plain) < 1e-12
    for a, b in zip(g_ours[:-1], g_plain[:-1], strict=True):
        assert relative(a, b) < 1e-10
    assert g_ours[-1] is None and g_plain[-1] is None  # vectors to neighbours have none, as released


@pytest.mark.parametrize("back", ["means", "sums"])
def test_there_and_back_equals_the_plain_plan_and_has_its_gradient(back):
    torch.manual_seed(0)
    f_identity, f_pose = (torch.randn(2, n, 6, dtype=torch.float64, requires_grad=True) for n in (11, 17))
    points = torch.randn(2, 17, 3, dtype=torch.float64, requires_grad=True)
    rows = reference.xdualnet_plan(f_identity, f_pose)
    plain_warp = rows @ points
    columns = rows / rows.sum(1, keepdim=True) if back == "means" else rows
    plain = plain_warp, columns.mT @ plain_warp
    ours = there_and_back(unit(f_identity), unit(f_pose), points, back)
    assert relative(there_and_back(unit(f_identity), unit(f_pose), points, None)[0], plain_warp) < 1e-10
    gradients = []
    for pair in (ours, plain):
        loss = pair[0].sin().sum() + (2 * pair[1]).cos().sum()
        gradients.append(torch.autograd.grad(loss, (f_identity, f_pose, points)))
    for a, b in zip([*ours, *gradients[0]], [*plain, *gradients[1]], strict=True):
        assert relative(a, b) < 1e-9


def test_the_gradient_there_and_back_is_the_slope_of_its_values():
    torch.manual_seed(1)
    features = [torch.randn(1, n, 4, dtype=torch.float64) * 0.05 + 1 for n in (5, 6)]  # near: a soft plan
    points = torch.randn(1, 6, 3, dtype=torch.float64, requires_grad=True)
    queries, keys = (unit(f).requires_grad_() for f in features)
    for back in ("means", "sums"):
        assert torch.autograd.gradcheck(
            lambda q, k, p, back=back: there_and_back(q, k, p, back), (queries, keys, points)
        )


def test_a_permutation_comes_back_exactly_and_only_a_normalised_one_keeps_its_size():
    generator = torch.Generator().manual_seed(0)
    keys = unit(torch.randn(1, 40, 64, generator=generator, dtype=torch.float64))
    points = torch.randn(1, 40, 3, generator=generator, dtype=torch.float64)
    order = torch.randperm(40, generator=generator)
    for back in ("means", "sums"):
        warp, returned = there_and_back(keys[:, order], keys, points, back)
        assert relative(warp, points[:, order]) < 1e-3 and relative(returned, points) < 1e-3
    twice = torch.cat([keys, keys], dim=1)  # an identity mesh with every vertex doubled: columns sum to 2
    assert relative(there_and_back(twice, keys, points, "means")[1], points) < 1e-3
    assert relative(there_and_back(twice, keys, points, "sums")[1], 2 * points) < 1e-3


def test_neighbours_by_a_tree_are_those_by_distances():
    points = meshes()[0]
    near = graph.by_tree(points, 9)
    assert torch.equal(near, graph.by_distances(points, 9))
    assert torch.equal(near[..., 0], torch.arange(N).expand(2, N)), "the vertex itself comes first"
    assert torch.equal(graph.neighbourhoods(points, 100), graph.by_tree(points, N)), "all there are"


def test_of_a_finer_mesh_neighbourhoods_are_as_wide_as_of_a_coarser_one():
    fine = torch.randn(1, 4000, 3, generator=torch.Generator().manual_seed(0)).double()
    fine = fine / fine.norm(dim=-1, keepdim=True)
    coarse = fine[:, :1000]

    def width(points, **options):
        near = graph.neighbourhoods(points, 8, **options)
        return (points[0][near[0]] - points[0][:, None]).norm(dim=-1).mean()

    assert width(fine, vertices=1000) == pytest.approx(width(coarse).item(), rel=0.03)
    assert width(fine) < 0.6 * width(coarse)
    assert torch.equal(graph.neighbourhoods(coarse, 8, 1000), graph.neighbourhoods(coarse, 8))
    assert torch.equal(graph.neighbourhoods(coarse, 8, 2000), graph.neighbourhoods(coarse, 8)), (
        "a coarser one"
    )


def permuted_difference(net):
    identity, pose = meshes()
    p, q = torch.randperm(N), torch.randperm(M)
    net = net.double().eval()
    return relative(net(identity[:, p], pose[:, q]).vertices, net(identity, pose).vertices[:, p])


def test_default_does_not_depend_on_vertex_order():
    assert permuted_difference(enliven(small())) < 1e-9


def test_faithful_depends_on_vertex_order():
    assert permuted_difference(enliven(small(faithful=True))) > 1e-3


def test_half_precision_reaches_every_parameter():
    net, half = twins(small(), torch.float32)
    identity, pose = meshes(torch.float32)
    net(identity, pose).vertices.square().mean().backward()
    with torch.autocast("cpu", torch.bfloat16):
        loss = half(identity, pose).vertices.square().mean()
    loss.backward()
    for name, p in half.named_parameters():
        assert p.grad.isfinite().all() and p.grad.any(), name
    whole, rough = (torch.cat([p.grad.flatten() for p in n.refinement.parameters()]) for n in (net, half))
    assert torch.nn.functional.cosine_similarity(whole, rough, dim=0) > 0.9
