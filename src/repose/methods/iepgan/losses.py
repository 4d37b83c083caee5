"""Losses of IEP-GAN: adversarial, local ("CDC") and intrinsic (distances on patches), and errors that pick patches."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from repose.gih.convention import METRES, Settings
from repose.gih.regional import Operators, distances_along, patch_distances
from repose.methods.layers.staged import sum_of_stages


def real_fake_loss(
    real: Tensor,  # (B,) logits
    fake: Tensor,  # (B,) logits
) -> Tensor:
    """Return the logistic loss of a discriminator."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def fool_loss(
    fake: Tensor,  # (B,) logits
) -> Tensor:
    """Return the logistic loss of a generator."""
    return F.softplus(-fake).mean()


def gradient_penalty(
    logits: Tensor,  # (B,)
    inputs: tuple[Tensor, ...],  # (B, ...) each, that need gradients
) -> Tensor:
    """Return the R1 penalty: the mean over the batch of the squared norm of d logit / d inputs."""
    gradients = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return sum(g.square().flatten(1).sum(dim=1) for g in gradients).mean()  # type: ignore[union-attr]


def central_distances(
    predicted: Tensor,  # (B, V, 3), metres
    target: Tensor,  # (B, V, 3), metres
    edges: Tensor,  # (E, 2), int64
) -> Tensor:
    """Return the mean over each vertex's neighbours and xyz of the squared change of the edge vector: (B, V), m²."""
    change = _edge_vectors(predicted, edges) - _edge_vectors(target, edges)
    return _mean_at_vertices(change.square().mean(dim=2), edges, predicted.shape[1])


def edge_length_errors(
    predicted: Tensor,  # (B, V, 3), metres
    identity: Tensor,  # (B, V, 3), metres
    edges: Tensor,  # (E, 2), int64
) -> Tensor:
    """Return for every vertex the mean over its edges and the batch of | change of length |: (V,), metres."""
    lengths = [torch.linalg.vector_norm(_edge_vectors(x, edges), dim=2) for x in (predicted, identity)]
    return _mean_at_vertices((lengths[0] - lengths[1]).abs(), edges, predicted.shape[1]).mean(dim=0)


def patch_distortion(
    predicted: Tensor,  # (B, V, 3), metres
    target: Tensor,  # (B, K, P, P), distances between the vertices of each patch
    patches: tuple[Tensor, ...],  # of `repose.mesh.patches.PaddedPatches`: (K, P), (K, P), (K, F, 3), (K, F)
) -> Tensor:
    """Return the mean over batch, patches and vertex pairs of (target − distance along the patch)², m².

    Each patch of each mesh is differentiated before the next one is computed: on a GPU, the matrices of all patches
    would fill gigabytes.
    """

    chosen, is_vertex, faces, is_face = _patches_of(predicted, patches)
    operators = Operators.of(chosen, faces, is_face).of_each()
    width = len(Operators._fields)

    def stages(*leaves: Tensor) -> Iterator[Tensor]:
        for k, goal in enumerate(target.flatten(0, 1)):
            own = Operators(*leaves[k * width : (k + 1) * width])
            found = distances_along(faces[k], is_vertex[k], is_face[k], own).to(predicted)
            inside = is_vertex[k].double()
            real = inside[:, None] * inside
            yield ((goal - found).square() * real).sum() / real.sum() / len(chosen)

    return sum_of_stages(stages, [x for own in operators for x in own], ())


def distances_of(
    vertices: Tensor,  # (B, V, 3), metres
    patches: tuple[Tensor, ...],  # as in `patch_distortion`
    settings: Settings = METRES,
) -> Tensor:
    """Return the distances along each patch of each mesh, (B, K, P, P), in the unit of the settings."""
    chosen, is_vertex, faces, is_face = _patches_of(vertices, patches)
    return patch_distances(chosen, faces, is_vertex, is_face, settings).unflatten(0, (len(vertices), -1))


def _patches_of(vertices: Tensor, patches: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the vertices (B K, P, 3) of every patch of every mesh, and the other patch tensors repeated to match."""
    chosen = vertices[:, patches[0].flatten()].reshape(-1, patches[0].shape[1], 3)
    is_vertex, faces, is_face = (x.repeat(len(vertices), *[1] * (x.ndim - 1)) for x in patches[1:])
    return chosen, is_vertex, faces, is_face


def _edge_vectors(vertices: Tensor, edges: Tensor) -> Tensor:
    return vertices[:, edges[:, 0]] - vertices[:, edges[:, 1]]


def _mean_at_vertices(values: Tensor, edges: Tensor, count: int) -> Tensor:
    """Return the means (B, V) over the edges of each vertex from values (B, E) of edges."""
    ends = edges.T.flatten()
    sums = values.new_zeros(len(values), count).index_add(1, ends, values.repeat(1, 2))
    # Not `bincount`, which on a GPU reads the largest number back and waits for it.
    uses = values.new_zeros(count).index_add(0, ends, torch.ones_like(ends, dtype=values.dtype))
    return sums / uses.clamp(min=1)
