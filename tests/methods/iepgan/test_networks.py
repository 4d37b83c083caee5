import numpy as np
import pytest
import torch
from torch.nn import functional as F

from repose.errors import ReposeError
from repose.methods.iepgan.discriminators import CooccurrenceDiscriminator, Discriminator
from repose.methods.iepgan.encoder import Encoder, ReleasedEncoder, bins
from repose.methods.iepgan.generator import ReleasedGenerator
from repose.methods.iepgan.layers import max_over_vertices
from repose.methods.iepgan.network import IEPGAN, ReleasedIEPGAN
from tests.methods.helpers import enliven, relative


def count(net):
    return sum(p.numel() for p in net.parameters())


def small(**options):
    torch.manual_seed(0)
    return enliven(IEPGAN(16, 8, 16, matcher_width=16, **options)).double()


def test_parameter_counts_of_the_released_networks():
    with torch.device("meta"):
        assert count(ReleasedEncoder()) == 2_978_208 == count(Encoder()) - 21
        assert count(ReleasedGenerator()) == 7_291
        assert count(Discriminator()) == count(Discriminator(binned=True)) == 7_983_873
        # The released 371,585 pool the joint feature to 256; ours keeps both features of 256.
        assert count(CooccurrenceDiscriminator()) == 371_585 + 256 * 1024


def test_an_untrained_network_gives_the_pose_mesh_the_size_of_the_identity_mesh():
    net = IEPGAN(16, 8, 16).double()
    identity, pose = torch.randn(2, 30, 3).double(), torch.randn(2, 30, 3).double()
    out = net(identity, pose).vertices
    ratio = (net.encoder.log_size(identity) - net.encoder.log_size(pose)).exp()
    assert relative(out, pose * ratio) < 1e-12


def test_size_scales_as_the_body_whatever_was_learned():
    encoder = small().encoder
    x = torch.randn(2, 40, 3).double()
    assert encoder.size.weight.abs().min() > 0
    assert torch.allclose(encoder.log_size(1.7 * x), encoder.log_size(x) + np.log(1.7))


@pytest.mark.parametrize("correspondence", ["registered", "learned"])
def test_a_larger_identity_gives_a_larger_result(correspondence):
    net = small(correspondence=correspondence)
    identity, pose = torch.randn(1, 40, 3).double(), torch.randn(1, 40, 3).double()
    sizes = [net(identity * s, pose).vertices.std(1).mean().item() for s in (1.0, 1.1)]
    assert abs(sizes[1] / sizes[0] - 1) > 0.01


def test_the_released_network_loses_the_size_of_the_body():
    net = ReleasedIEPGAN(16, 8, 16).double()
    identity, pose = torch.randn(1, 40, 3).double(), torch.randn(1, 40, 3).double()
    assert relative(net(1.3 * identity + 0.2, pose).vertices, net(identity, pose).vertices) < 1e-3


def test_shape_code_ignores_the_order_of_the_identity_and_the_result_its_place():
    net = small()
    identity, pose = torch.randn(1, 40, 3).double(), torch.randn(1, 40, 3).double()
    code, other = (net.encoder.shape(x) for x in (identity, identity[:, torch.randperm(40)]))
    assert relative(other.code, code.code) < 1e-10 and relative(other.log_size, code.log_size) < 1e-10
    moved = identity + torch.tensor([1.0, -2, 3])
    assert relative(net(moved, pose).vertices, net(identity, pose).vertices) < 1e-9


def test_learned_correspondence_takes_any_counts_and_orders():
    net = small(correspondence="learned")
    identity, pose = torch.randn(2, 40, 3).double(), torch.randn(2, 55, 3).double()
    p, q = torch.randperm(40), torch.randperm(55)
    out = net(identity, pose)
    assert out.vertices.shape == out.warp.shape == (2, 40, 3) and not net.ordered
    assert relative(net(identity[:, p], pose[:, q]).vertices, out.vertices[:, p]) < 1e-9


def test_registered_meshes_have_any_count_but_the_same():
    net = small()
    assert net.ordered
    assert net(torch.randn(1, 70, 3).double(), torch.randn(1, 70, 3).double()).vertices.shape == (1, 70, 3)
    for refusing in (net, ReleasedIEPGAN(16, 8, 16).double()):
        with pytest.raises(ReposeError, match="equal vertex counts, not 40 and 55"):
            refusing(torch.randn(1, 40, 3).double(), torch.randn(1, 55, 3).double())


def test_the_discriminators_ignore_the_order_of_points():
    torch.manual_seed(0)
    meshes, references = torch.randn(2, 40, 3).double(), torch.randn(2, 3, 25, 3).double()
    order = torch.randperm(40)
    whole = enliven(Discriminator(16)).double()
    assert relative(whole(meshes[:, order]), whole(meshes)) < 1e-10
    joint = enliven(CooccurrenceDiscriminator(16)).double()
    logits = joint(meshes, references)
    assert relative(joint(meshes[:, order], references[:, :, torch.randperm(25)]), logits) < 1e-10
    assert relative(joint(meshes, references[:, torch.tensor([2, 0, 1])]), logits) < 1e-10
    released = enliven(Discriminator(16, binned=True)).double()
    assert relative(released(meshes[:, order]), released(meshes)) > 1e-6


@pytest.mark.parametrize(("size", "parts"), [(40, 8), (41, 8), (2048, 3), (6890, 512), (5, 8)])
def test_bins_are_those_of_adaptive_pooling(size, parts):
    x = torch.randn(1, 1, size).double()
    ours = torch.stack([x[..., a:b].mean(-1) for a, b in bins(size, parts)], -1)
    assert torch.allclose(ours, F.adaptive_avg_pool1d(x, parts))


def test_the_released_shape_code_is_the_pooled_plane():
    torch.manual_seed(0)
    net = ReleasedEncoder(16).double()
    x = torch.randn(2, 21, 3).double()
    values = net.shape_head(net.trunk(x))
    assert torch.equal(net.shape_field(x), F.adaptive_max_pool2d(values.mT, (3, 21)).mT)


def test_the_fast_forms_of_the_discriminators_are_those_that_can_be_differentiated_twice():
    torch.manual_seed(0)
    meshes, references = torch.randn(2, 40, 3).double(), torch.randn(2, 3, 25, 3).double()
    for network, inputs in (
        (enliven(Discriminator(16)).double(), (meshes,)),
        (enliven(CooccurrenceDiscriminator(16)).double(), (meshes, references)),
    ):
        inputs = [x.requires_grad_() for x in inputs]
        wanted = [*inputs, *network.parameters()]
        logits = [network(*inputs, twice=twice) for twice in (False, True)]
        gradients = [torch.autograd.grad(x.sum(), wanted) for x in logits]
        assert relative(*logits) < 1e-12
        assert all(torch.allclose(ours, plain, atol=1e-10) for ours, plain in zip(*gradients, strict=True))
        torch.autograd.gradgradcheck(lambda *x, n=network: n(*x, twice=True).sum(), inputs, fast_mode=True)


def test_equal_maxima_share_their_gradient():
    x = torch.tensor([[[1.0, 2], [3, 2], [3, 0]]], dtype=torch.float64, requires_grad=True)
    (ours,) = torch.autograd.grad((max_over_vertices(x) * torch.tensor([1.0, 4])).sum(), x)
    assert ours.tolist() == [[[0, 2], [0.5, 2], [0.5, 0]]]


def test_codes_of_a_mesh_are_the_same_one_by_one():
    encoder = small().encoder
    x = torch.randn(2, 40, 3).double()
    pose, shape = encoder.both(x)
    assert pose.unit is shape.unit
    for together, alone in ((pose, encoder.pose(x)), (shape, encoder.shape(x))):
        assert all(torch.equal(a, b) for a, b in zip(together, alone, strict=True))
    assert relative(shape.code, encoder.shape_head(encoder.trunk(x)).amax(dim=1, keepdim=True)) == 0
