import pytest
import torch

from repose.errors import ReposeError
from repose.methods.npt.network import Npt
from tests.methods import reference
from tests.methods.helpers import assert_single_precision, enliven, gradient_errors, relative, twins


@pytest.mark.parametrize("pooling", ["max", "none"])
def test_parameter_count_at_full_width(pooling):
    with torch.device("meta"):
        net = Npt(pooling=pooling)
    assert sum(p.numel() for p in net.parameters()) == 6_054_941


def meshes(pooling, dtype, seed=0):
    torch.manual_seed(seed)
    counts = (53, 53 if pooling == "none" else 71, 53)
    return [torch.randn(2, n, 3).to(dtype) for n in counts]


@pytest.mark.parametrize("pooling", ["max", "none"])
def test_equals_plain_formula(pooling):
    torch.manual_seed(0)
    ours, plain = twins(enliven(Npt(40, pooling)), torch.float64)
    identity, pose, truth = meshes(pooling, torch.float64)
    assert relative(ours(identity, pose).vertices, reference.npt(plain, identity, pose)) < 1e-8
    errors = gradient_errors(
        ours,
        plain,
        lambda net: (net(identity, pose).vertices - truth).square().mean(),
        lambda net: (reference.npt(net, identity, pose) - truth).square().mean(),
    )
    assert max(errors.values()) < 1e-8, errors


@pytest.mark.parametrize("pooling", ["max", "none"])
def test_single_precision_is_as_near_to_the_truth_as_the_plain_form(pooling):
    def draw(seed):
        torch.manual_seed(seed)
        return enliven(Npt(40, pooling), seed), meshes(pooling, torch.float32, seed)[:2]

    assert_single_precision(draw, lambda net, *pair: net(*pair).vertices, reference.npt)


def test_pooled_output_follows_identity_order_and_ignores_pose_order():
    torch.manual_seed(1)
    net = Npt(32).double()
    identity, pose = torch.randn(1, 40, 3).double(), torch.randn(1, 55, 3).double()
    p, q = torch.randperm(40), torch.randperm(55)
    assert relative(net(identity[:, p], pose[:, q]).vertices, net(identity, pose).vertices[:, p]) < 1e-12


def test_unequal_counts_without_pooling_are_refused():
    with pytest.raises(ReposeError, match="equal vertex counts, got 40 and 55"):
        Npt(32, "none")(torch.zeros(1, 40, 3), torch.zeros(1, 55, 3))


def test_wrong_shapes_are_refused():
    with pytest.raises(ReposeError, match="identity vertices have shape"):
        Npt(32)(torch.zeros(1, 3, 40), torch.zeros(1, 40, 3))
    with pytest.raises(ReposeError, match="2 identity meshes but 1 pose"):
        Npt(32)(torch.zeros(2, 40, 3), torch.zeros(1, 40, 3))
    with pytest.raises(ReposeError, match="pooling 'mean'"):
        Npt(32, "mean")
