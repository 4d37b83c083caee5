"""Losses of IEP-GAN: adversarial, local ("CDC"), intrinsic (distances on patches), and what picks the patches."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from repose.gih.convention import METRES, Settings
from repose.gih.regional import patch_distances
from repose.methods.layers.staged import sum_of_stages


def real_fake_loss(
    real: Tensor,  # (B,) logits
    fake: Tensor,  # (B,) logits
) -> Tensor:
    """Logistic loss of a discriminator."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def fool_loss(
    fake: Tensor,  # (B,) logits
) -> Tensor:
    """Logistic loss of a generator."""
    return F.softplus(-fake).mean()


def gradient_penalty(
    logits: Tensor,  # (B,)
    inputs: tuple[Tensor, ...],  # (B, ...) each, that need gradients
) -> Tensor:
    """R1: mean over the batch of the squared norm of d logit / d inputs."""
    gradients = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return sum(g.square().flatten(1).sum(dim=1) for g in gradients).mean()  # type: ignore[union-attr]


def central_distances(
    predicted: Tensor,  # (B, V, 3), metres
    target: Tensor,  # (B, V, 3), metres
    edges: Tensor,  # (E, 2), int64
) -> Tensor:
    """For every vertex, the mean over its neighbours and xyz of the squared change of the edge vector: (B, V), m²."""
    change = _edge_vectors(predicted, edges) - _edge_vectors(target, edges)
    return _mean_at_vertices(change.square().mean(dim=2), edges, predicted.shape[1])


def edge_length_errors(
    predicted: Tensor,  # (B, V, 3), metres
    identity: Tensor,  # (B, V, 3), metres
    edges: Tensor,  # (E, 2), int64
) -> Tensor:
    """For every vertex, the mean over its edges and the batch of | change of length |: (V,), metres."""
    lengths = [torch.linalg.vector_norm(_edge_vectors(x, edges), dim=2) for x in (predicted, identity)]
    return _mean_at_vertices((lengths[0] - lengths[1]).abs(), edges, predicted.shape[1]).mean(dim=0)


def patch_distortion(
    predicted: Tensor,  # (B, V, 3), metres
    target: Tensor,  # (B, K, P, P), distances between the vertices of each patch
    patches: tuple[Tensor, ...],  # of `repose.mesh.patches.PaddedPatches`: (K, P), (K, P), (K, F, 3), (K, F)
) -> Tensor:
    """Mean over batch, patches and vertex pairs of (target − distance along the patch)², m².

    Each patch of each mesh is differentiated before the next is looked at: matrices of all would fill gigabytes.
    """

    def stages(vertices: Tensor) -> Iterator[Tensor]:
        parts = [[x[k : k + 1] for x in patches] for k in range(len(patches[0]))]
        for mesh, goals in zip(vertices.split(1), target, strict=True):
            for part, goal in zip(parts, goals, strict=True):
                is_vertex = part[1][0].double()
                real = is_vertex[:, None] * is_vertex
                wrong = (goal - distances_of(mesh, tuple(part))[0, 0]).square() * real
                yield wrong.sum() / real.sum() / (len(vertices) * len(parts))

    return sum_of_stages(stages, (predicted,), ())


def distances_of(
    vertices: Tensor,  # (B, V, 3), metres
    patches: tuple[Tensor, ...],  # as in `patch_distortion`
    settings: Settings = METRES,
) -> Tensor:
    """Distances along each patch of each mesh, (B, K, P, P), in the unit of the settings."""
    batch, (count, size) = len(vertices), patches[0].shape
    chosen = vertices[:, patches[0].flatten()].unflatten(1, (count, size)).flatten(0, 1)
    is_vertex, faces, is_face = (x.repeat(batch, *[1] * (x.ndim - 1)) for x in patches[1:])
    found = patch_distances(chosen, faces, is_vertex, is_face, settings)
    return found.unflatten(0, (batch, count))


def _edge_vectors(vertices: Tensor, edges: Tensor) -> Tensor:
    return vertices[:, edges[:, 0]] - vertices[:, edges[:, 1]]


def _mean_at_vertices(values: Tensor, edges: Tensor, count: int) -> Tensor:
    """(B, E) values of edges → (B, V) means over the edges of each vertex."""
    ends = edges.T.flatten()
    sums = values.new_zeros(len(values), count).index_add(1, ends, values.repeat(1, 2))
    # Not `bincount`, which asks a GPU for the largest number, and waits.
    uses = values.new_zeros(count).index_add(0, ends, torch.ones_like(ends, dtype=values.dtype))
    return sums / uses.clamp(min=1)
