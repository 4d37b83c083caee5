"""Metrics between a predicted mesh and the truth, in the same vertex order. Units are in the names.

Both meshes are first centred by their own bounding boxes, as the released evaluation codes do.
"""

from collections.abc import Iterator

import numpy as np
import torch
from scipy.spatial import KDTree
from torch import Tensor


def bbox_centred(x: Tensor) -> Tensor:  # (..., V, 3)
    """Move each mesh so that the middle of its bounding box is the origin."""
    return x - (x.amin(dim=-2, keepdim=True) + x.amax(dim=-2, keepdim=True)) / 2


def pmd(out: Tensor, truth: Tensor) -> Tensor:
    """Return the point-wise mesh distance (released code of NPT and 3D-CoreNet), in m².

    It is the mean over the 3 V coordinates of the squared difference, a third of the mean squared vertex distance.

    Args:
        out, truth: (B, V, 3) metres.

    Returns:
        (B,) m².
    """
    return (bbox_centred(out) - bbox_centred(truth)).square().mean(dim=(-2, -1))


def mpve_mm(out: Tensor, truth: Tensor) -> Tensor:
    """Return the mean per-vertex error: the mean distance of corresponding vertices, (B,) in millimetres."""
    return (bbox_centred(out) - bbox_centred(truth)).norm(dim=-1).mean(dim=-1) * 1000


def chamfer(out: Tensor, truth: Tensor) -> Tensor:
    """Return the Chamfer distance (released code of MAPConNet), (B,) in m².

    It is the mean squared distance to the nearest vertex from `out` to `truth`, plus that from `truth` to `out`, and
    never more than 6 PMD.
    """
    values = [(there**2).mean() + (back**2).mean() for there, back in nearest(out, truth)]
    return torch.tensor(values, dtype=torch.float64)


def nearest(out: Tensor, truth: Tensor) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Distances (V,) of each mesh of `out` (B, V, 3) to the nearest vertices of `truth` (B, W, 3), and back (W,)."""
    pairs = zip(*(bbox_centred(x).double().cpu().numpy() for x in (out, truth)), strict=True)
    return ((KDTree(b).query(a)[0], KDTree(a).query(b)[0]) for a, b in pairs)


def edge_error(out: Tensor, identity: Tensor, edges: Tensor) -> Tensor:
    """Return the mean over edges of | |e_out| / |e_identity| - 1 |, the edge distortion against the identity, no unit.

    Edges of length zero in the identity mesh have no ratio and are left out, as in the edge loss.

    Args:
        out, identity: (B, V, 3) metres.
        edges: (E, 2) undirected edges.

    Returns:
        (B,).
    """
    rest = edge_lengths(identity, edges)
    real = rest > 0
    ratio = edge_lengths(out, edges) / torch.where(real, rest, 1)
    return ((ratio - 1).abs() * real).sum(dim=-1) / real.sum(dim=-1)


def edge_lengths(x: Tensor, edges: Tensor) -> Tensor:  # (B, V, 3) and (E, 2) to (B, E)
    """Lengths of the edges of each mesh, in its unit."""
    return (x[:, edges[:, 0]] - x[:, edges[:, 1]]).norm(dim=-1)
