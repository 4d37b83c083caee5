"""Comparisons of a module with its plain twin."""

import copy

import torch

from repose.methods.layers.spectral import SpectralLinear


def relative(ours, plain):
    return ((ours - plain).abs().max() / plain.abs().max().clamp_min(1e-300)).item()


def tolerance(dtype):
    return 1e-8 if dtype == torch.float64 else 1e-5


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
