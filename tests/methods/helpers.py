"""Comparisons of a module with its plain twin."""

import copy

import torch

from repose.methods.layers.spectral import SpectralLinear


def relative(ours, plain):
    return ((ours - plain).abs().max() / plain.abs().max().clamp_min(1e-300)).item()


def assert_single_precision(draw, ours, plain, networks=9, factor=2, furthest=1e-5):
    """Ours in float32 is as near to the truth as the plain form: at most `factor` times its error.

    How far a float32 result lies from the float64 truth depends on the order of its sums, which the instruction set
    and the BLAS choose: for one network either form may be the nearer one, by up to a factor of 2.5 on the machines
    seen. And at a kink (the maximum over the vertices, the strongest partner, a ReLU) either may fall on the other
    side, far from the truth. So the middle error of several networks is compared.

    Args:
        draw: of a seed, returns a network and its inputs, in float32.
        ours, plain: of a network and its inputs, return a tensor.
        networks: how many seeds, an odd number.
        factor: 1.5 is the most that was seen, where results are continuous.
        furthest: the most that the yardstick, the plain form, may be off. A similarity that is off by 2⁻²⁴ moves the
            transport plan by 2⁻²⁴ / 0.03 = 2e-6 of itself: the default is five of these.
    """
    errors = []
    for seed in range(networks):
        network, inputs = draw(seed)
        truth = plain(copy.deepcopy(network).double(), *(x.double() for x in inputs))
        sides = [run(copy.deepcopy(network), *inputs) for run in (ours, plain)]
        errors.append([((x - truth).norm() / truth.norm()).item() for x in sides])
    error, plain_error = torch.tensor(errors).median(dim=0).values.tolist()
    assert error < factor * plain_error, (error, plain_error)
    assert 0 < plain_error < furthest, plain_error


def enliven(net, seed=0):
    """Weights as a trained net might have: far from the tiny initial ones, biases not zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in net.parameters():
            scale = 1.0 if p.ndim == 2 else 0.1
            p.add_(
                torch.randn(p.shape, generator=generator, dtype=p.dtype) * scale / max(p.shape[-1], 1) ** 0.5
            )
    for module in net.modules():
        if isinstance(module, SpectralLinear):  # stale vectors would saturate the output at ±2
            module.settle()
    return net


def gradient_errors(ours, plain, run_ours, run_plain):
    """Largest error of each parameter's gradient, relative to the largest entry of that gradient (at least
    to 1e-6 of the whole net's largest); frozen parameters must have no gradient in truth either."""
    run_ours(ours).backward()
    run_plain(plain).backward()
    twins = dict(plain.named_parameters())
    whole = max(p.grad.abs().max().item() for p in twins.values() if p.grad is not None)
    errors = {}
    for name, p in ours.named_parameters():
        truth = twins[name].grad
        if not p.requires_grad:
            assert truth is None or truth.abs().max() < 1e-9 * whole
            continue
        own = truth.abs().max().item()
        # A bias before a norm has gradient 0 up to rounding noise, which has no relative error of its own.
        errors[name] = (p.grad - truth).abs().max().item() / max(own, 1e-6 * whole)
    return errors


def twins(net, dtype):
    net = net.to(dtype)
    return net, copy.deepcopy(net)
