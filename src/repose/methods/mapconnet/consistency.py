"""One training iteration of MAPConNet, with the truth or without any (sec. 3.2 and 3.4 of the paper).

Without truth an iteration sees body A in two poses, 1 and 2 (same order of vertices), and another body B:

* cross-consistency: A in pose 2, posed like A in pose 1, must be A in pose 1;
* first pass: B is posed like A in pose 1; nothing says how it should look, so only features are compared;
* second pass, self-consistency: A in pose 2, posed like the result of the first pass (which is held fixed), must be
  A in pose 1 again.

The three losses share the features of the meshes, and each is differentiated before the next is computed. The first
pass trains the correspondence only, as published: no gradient goes through its generator, so none of its intermediates
is kept.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from repose.methods.layers.gather import gathered
from repose.methods.layers.staged import sum_of_stages
from repose.methods.layers.transport import transport_match
from repose.methods.losses import edge_loss, reconstruction
from repose.methods.mapconnet.contrastive import cross_contrast, point_contrast, transfer_contrast
from repose.methods.mapconnet.network import MapConNet
from repose.methods.mapconnet.settings import MapConNetTraining

Edges = tuple[Tensor, Tensor]  # (E, 2) int64 among the vertices the network sees, and weights (E,)


def labelled_loss(
    network: MapConNet,
    identity: Tensor,  # (B, N, 3), metres, its vertices in random order
    pose: Tensor,  # (B, M, 3), metres
    truth: Tensor,  # (B, N, 3), metres: the identity in that pose
    shape: Tensor,  # (B, N, 3), metres: has the edge lengths that the result should have
    edges: Edges,
    settings: MapConNetTraining,
) -> Tensor:
    """Return the weighted loss of a supervised iteration."""
    part = network.correspondence
    f_identity, f_pose = part.encode_each(identity, pose)
    warp, assignment = transport_match(part.queries(f_identity), part.keys(f_pose), pose)
    out = network.refine(warp, f_identity)
    loss = _shape_loss(out, warp, truth, shape, edges, settings)
    return loss + _transfer_features(network, part.encode(warp), f_identity, f_pose, assignment, settings)


def unlabelled_loss(
    network: MapConNet,
    other: Tensor,  # (B, N, 3), metres: body B, its vertices in random order
    pose: Tensor,  # (B, M, 3), metres: body A in pose 1
    same: Tensor,  # (B, M, 3), metres: body A in pose 2, in the order of `pose`, a random one
    edges: Edges,  # of body A
    settings: MapConNetTraining,
) -> Tensor:
    """Return the weighted loss of an unsupervised iteration: the sum of cross-consistency, first and second pass."""
    part = network.correspondence
    features = part.encode_each(pose, same, other)
    shared = (*features, part.queries(features[1]), part.keys(features[0]))

    def stages(
        f_pose: Tensor, f_same: Tensor, f_other: Tensor, queries: Tensor, keys: Tensor
    ) -> Iterator[Tensor]:
        # Cross-consistency
        warp, _ = transport_match(queries, keys, pose)
        shape = _shape_loss(network.refine(warp, f_same), warp, pose, same, edges, settings)
        f_out = part.encode(warp)
        mesh = cross_contrast(f_pose, f_same, f_out, network.cond_channels, settings.mesh_margin)
        point = point_contrast(f_out, f_same, settings.point_margin)
        yield shape + settings.mesh_weight * mesh + settings.point_weight * point
        # First pass
        warp, assignment = transport_match(part.queries(f_other), keys, pose)
        with torch.no_grad():
            posed = network.refine(warp, f_other)
        torch.clear_autocast_cache()  # it holds copies of parameters that were made without gradient
        yield _transfer_features(network, part.encode(warp), f_other, f_pose, assignment, settings)
        # Second pass
        f_posed = part.encode(posed)
        warp, assignment = transport_match(queries, part.keys(f_posed), posed)
        shape = _shape_loss(network.refine(warp, f_same), warp, pose, same, edges, settings)
        yield shape + _transfer_features(network, part.encode(warp), f_same, f_posed, assignment, settings)

    return sum_of_stages(stages, shared, network.parameters())


def _shape_loss(
    out: Tensor, warp: Tensor, target: Tensor, identity: Tensor, edges: Edges, settings: MapConNetTraining
) -> Tensor:
    loss = settings.reconstruction_weight * reconstruction(out, target)
    if settings.edge_weight:
        loss = loss + settings.edge_weight * edge_loss(out, identity, *edges)
    if settings.warp_weight:
        loss = loss + settings.warp_weight * reconstruction(warp, target)
    return loss


def _transfer_features(
    network: MapConNet,
    f_out: Tensor,
    f_identity: Tensor,
    f_pose: Tensor,
    assignment: Tensor,
    settings: MapConNetTraining,
) -> Tensor:
    f_matched = gathered(f_pose, assignment)  # the released code multiplies by a one-hot matrix instead
    mesh = transfer_contrast(f_out, f_identity, f_matched, network.cond_channels, settings.mesh_margin)
    point = point_contrast(f_out, f_identity, settings.point_margin)
    return settings.mesh_weight * mesh + settings.point_weight * point
