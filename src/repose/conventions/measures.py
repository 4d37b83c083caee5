"""What conventions measure, for N triples at once: tensors in, (N,) numbers out.

Places are as the published codes have them: each mesh about the middle of its box, or as it comes. References are to
their sections in docs/conventions.md.
"""

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from torch import Tensor

from repose.mesh.metrics import bbox_centred, nearest
from repose.mesh.operators import unique_edges, vertex_areas

ASSIGNED = 250  # vertices of the exact earth mover's distance
Nearest = tuple[Tensor, Tensor]
"""Distances (N, V) metres from the vertices of predictions to the nearest of the truths, and the other way round."""


class Compared:
    """Predictions of N triples beside what they are compared with: the quantities that measures are of.

    Args:
        predicted: (N, V, 3) metres, as they come.
        stored: (N, V, 3) metres, the truths as the dataset has them.
        identity: (N, V, 3) metres, the meshes that were to be posed.
        faces: (F, 3) faces of all meshes.
    """

    def __init__(self, predicted: Tensor, stored: Tensor, identity: Tensor, faces: NDArray[np.integer]):
        self.predicted, self.stored, self.identity = predicted.double(), stored.double(), identity.double()
        self._faces = faces

    @cached_property
    def truth(self) -> Tensor:
        """(N, V, 3) metres, each truth about the middle of its box."""
        return bbox_centred(self.stored)

    @property
    def predicted_about_mean(self) -> Tensor:
        """(N, V, 3) metres, each about the mean of its vertices: the best translation, if vertices weigh alike."""
        return about_mean(self.predicted)

    @cached_property
    def truth_about_mean(self) -> Tensor:
        """(N, V, 3) metres, likewise."""
        return about_mean(self.stored)

    @property
    def predicted_turned(self) -> Tensor:
        """(N, V, 3) metres, each about its mean and under the rotation that brings it nearest to its truth (Kabsch)."""
        a, b = self.predicted_about_mean, self.truth_about_mean
        u, _, vt = torch.linalg.svd(a.mT @ b)
        flip = torch.ones_like(u[:, 0])
        flip[:, 2] = torch.linalg.det(u @ vt).sign()
        return a @ (u * flip[:, None] @ vt)

    @cached_property
    def areas(self) -> Tensor:
        """(N, V) m², of the vertices of the truths."""
        return torch.from_numpy(np.stack([vertex_areas(mesh.numpy(), self._faces) for mesh in self.stored]))

    @cached_property
    def nearest(self) -> Nearest:
        """Distances of each vertex to the nearest one of the other mesh, about own boxes."""
        there, back = zip(*nearest(self.predicted, self.stored), strict=True)
        return torch.from_numpy(np.stack(there)), torch.from_numpy(np.stack(back))

    @cached_property
    def edges(self) -> Tensor:
        """(E, 2) undirected edges."""
        return torch.from_numpy(unique_edges(self._faces)).long()


def about_mean(meshes: Tensor) -> Tensor:  # (..., V, 3)
    """Move each mesh so that the mean of its vertices is the origin."""
    return meshes - meshes.mean(dim=-2, keepdim=True)


def squared(out: Tensor, truth: Tensor) -> Tensor:  # (N, V, 3) metres each; to (N,) m²
    """Mean over all coordinates of the squared difference, in the places that both are given in."""
    return (out - truth).square().mean(dim=(-2, -1))


def weighted(out: Tensor, truth: Tensor, areas: Tensor) -> Tensor:  # (N, V, 3) metres, (N, V) m²; to (N,) m²
    """The same about the middle of each mesh's own box, where a vertex weighs as much as its area."""
    squares = (bbox_centred(out) - bbox_centred(truth)).square().mean(dim=-1)
    return (areas * squares).sum(dim=-1) / areas.sum(dim=-1)


def by_height(out: Tensor, truth: Tensor) -> Tensor:  # (N, V, 3) metres, y up; to (N,)
    """The squared difference about own boxes, of bodies whose truth is 1 high."""
    heights = truth[..., 1].amax(dim=-1) - truth[..., 1].amin(dim=-1)
    return squared(bbox_centred(out), bbox_centred(truth)) / heights.square()


def in_unit_sphere(out: Tensor, truth: Tensor) -> Tensor:  # (N, V, 3); to (N,)
    """Mean distance of corresponding vertices, each mesh about its mean and divided by its own largest radius."""
    a, b = (about_mean(x) for x in (out, truth))
    a, b = (x / x.norm(dim=-1).amax(dim=-1)[:, None, None] for x in (a, b))
    return (a - b).norm(dim=-1).mean(dim=-1)


def p95_mm(out: Tensor, truth: Tensor) -> Tensor:  # (N, V, 3) metres; to (N,) millimetres
    """The distance that 95 % of the vertices do not exceed, about own boxes."""
    return torch.quantile((bbox_centred(out) - bbox_centred(truth)).norm(dim=-1), 0.95, dim=-1) * 1000


def chamfer(nearest: Nearest) -> Tensor:  # to (N,) m²
    """Sum of both means of squared distances to the nearest vertex, as `repose.mesh.metrics.chamfer` has it."""
    there, back = (distances.square().mean(dim=-1) for distances in nearest)
    return there + back


def emd_mm(out: Tensor, truth: Tensor) -> Tensor:  # (N, V, 3) metres; to (N,) millimetres
    """Mean distance of the one-to-one assignment for which it is least (exact earth mover's distance), about own boxes.

    Of the same `ASSIGNED` vertices of both meshes, evenly spaced in their order: the time grows with their cube.
    """
    count = truth.shape[1]
    some = np.linspace(0, count - 1, min(count, ASSIGNED)).round().astype(int)
    found = []
    for pair in zip(bbox_centred(out).numpy(), bbox_centred(truth).numpy(), strict=True):
        distances = cdist(*(mesh[some] for mesh in pair))
        found.append(distances[linear_sum_assignment(distances)].mean())
    return torch.tensor(found) * 1000


def chamfer_l1_mm(nearest: Nearest) -> Tensor:  # to (N,) millimetres
    """Half the sum of both mean distances to the nearest vertex."""
    there, back = (distances.mean(dim=-1) for distances in nearest)
    return (there + back) / 2 * 1000
