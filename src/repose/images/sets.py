"""Distances between two sets of images, by the features of each.

They are computed in float64 from all images. A set against itself is 0 by the first measure, and below 0 by the second.
"""

import torch
from torch import Tensor


def frechet_distance(a: Tensor, b: Tensor) -> float:  # (N, D), (M, D)
    """Return the squared Fréchet distance of two normal distributions with the means and covariances of two sets.

    |μ - ν|² + tr(A + B - 2 (A B)^½) (Heusel et al., NeurIPS 2017), covariances with N - 1. The eigenvalues of A B are
    those of the symmetric A^½ B A^½, so no square root of a general matrix is needed.

    Raises:
        ValueError: a set has no more elements than features, so its covariance is singular.
    """
    for features in (a, b):
        if len(features) <= features.shape[1]:
            raise ValueError(f"{len(features)} images for {features.shape[1]} features")
    a, b = a.double(), b.double()
    root, other = _square_root(a.T.cov()), b.T.cov()
    between = torch.linalg.eigvalsh(root @ other @ root).clamp(min=0).sqrt().sum()
    apart = (a.mean(0) - b.mean(0)).square().sum()
    return float(apart + a.var(0).sum() + b.var(0).sum() - 2 * between)


def kernel_distance(a: Tensor, b: Tensor) -> float:  # (N, D), (M, D)
    """Return the unbiased squared maximum mean discrepancy, kernel (x·y / D + 1)³ (Bińkowski et al., ICLR 2018).

    Its expectation is 0 for sets from one distribution; a single value may be negative.

    Raises:
        ValueError: a set has fewer than two elements.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError(f"{len(a)} and {len(b)} images")
    a, b = a.double(), b.double()
    within = sum(_mean_of_pairs(_kernel(x, x)) for x in (a, b))
    return float(within - 2 * _kernel(a, b).mean())


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.T / a.shape[1] + 1) ** 3


def _mean_of_pairs(kernel: Tensor) -> Tensor:
    """Return the mean of a square matrix without its diagonal."""
    count = len(kernel)
    return (kernel.sum() - kernel.trace()) / (count * (count - 1))


def _square_root(symmetric: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(symmetric)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T
