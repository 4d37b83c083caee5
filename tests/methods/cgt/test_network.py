import pytest
import torch

from repose.errors import ReposeError
from repose.methods.cgt.network import Cgt
from tests.methods import reference
from tests.methods.helpers import assert_single_precision, enliven, gradient_errors, relative, twins


def test_parameter_count_as_released():
    with torch.device("meta"):
        net = Cgt()
    assert sum(p.numel() for p in net.parameters()) == 12_009_351


def test_equals_plain_formula():
    torch.manual_seed(0)
    ours, plain = twins(enliven(Cgt(40)), torch.float64)
    identity, pose, truth = (torch.randn(2, 53, 3).double() for _ in range(3))
    assert relative(ours(identity, pose).vertices, reference.cgt(plain, identity, pose)) < 1e-8
    errors = gradient_errors(
        ours,
        plain,
        lambda net: (net(identity, pose).vertices - truth).square().mean(),
        lambda net: (reference.cgt(net, identity, pose) - truth).square().mean(),
    )
    assert max(errors.values()) < 1e-8, errors


def test_single_precision_is_as_near_to_the_truth_as_the_plain_form():
    def draw(seed):
        torch.manual_seed(seed)
        return enliven(Cgt(40), seed), [torch.randn(2, 53, 3) for _ in range(2)]

    assert_single_precision(draw, lambda net, *pair: net(*pair).vertices, reference.cgt)


def test_at_first_attention_adds_nothing_and_learns():
    torch.manual_seed(0)
    net = Cgt(16).double()
    identity, pose = torch.randn(1, 30, 3).double(), torch.randn(1, 30, 3).double()
    before = net(identity, pose).vertices
    before.square().sum().backward()
    assert all(attention.gain.grad.abs() > 0 for attention in net.attentions)
    for attention in net.attentions:
        torch.nn.init.normal_(attention.value.weight)
    assert torch.equal(net(identity, pose).vertices, before)


def test_unequal_counts_are_refused():
    with pytest.raises(ReposeError, match="equal vertex counts, got 40 and 55"):
        Cgt(32)(torch.zeros(1, 40, 3), torch.zeros(1, 55, 3))
