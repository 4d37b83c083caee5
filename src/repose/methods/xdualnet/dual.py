"""One training step of X-DualNet, on any two meshes A and B: dual reconstruction and cross consistency.

* First transfer: A is posed like B. No truth exists for the result O, so its edges are compared with A's, and the pose
mesh carried back through the plan is compared with B.
* Second transfer: O, posed like A, must be A again.
* Third transfer: B, posed like O, must be B again.

All three share the weights. The gradient of both reconstructions runs through O into the first transfer, until O is
replaced by an as-rigid-as-possible deformation of A (`deform`), which has none.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from repose.methods.losses import edge_loss, reconstruction
from repose.methods.xdualnet.network import XDualNet
from repose.methods.xdualnet.settings import XDualNetTraining

Edges = tuple[Tensor, Tensor]  # (E, 2) int64 among A's vertices that the network sees, and weights (E,)


def dual_losses(
    network: XDualNet,
    identity: Tensor,  # (B, N, 3), metres: A, its vertices in random order
    pose: Tensor,  # (B, M, 3), metres: B, in another random order
    edges: Edges,
    settings: XDualNetTraining,
    deform: Callable[[Tensor], Tensor] | None = None,
    faithful: bool = False,
) -> dict[str, Tensor]:
    """Return the weighted terms of a step's loss, by name.

    Args:
        network, identity, pose, edges: see above.
        settings: the weights of the terms.
        deform: a function that replaces O (B, N, 3) by a deformed A, without gradient; None: O is kept.
        faithful: as released, the pose mesh carried back is not normalised, and the edge loss uses the deformed A if
            there is one, so that it teaches nothing then. By default it uses O.
    """
    part = network.correspondence
    f_identity, f_pose = part.encode_each(identity, pose)
    # First transfer
    queries, keys = part.queries(f_identity), part.keys(f_pose)
    warp, returned = part.warp_and_back(queries, keys, pose, "sums" if faithful else "means")
    out = network.refine(warp, f_identity)
    losses = {}
    if settings.backward_weight:
        losses["backward"] = settings.backward_weight * reconstruction(returned, pose)
    posed = out if deform is None else deform(out.detach())
    if settings.edge_weight:
        held = posed if faithful else out
        losses["edges"] = settings.edge_weight * edge_loss(held, identity, *edges)
    f_posed = part.encode(posed)
    # Second transfer
    warp = part.warp(part.queries(f_posed), part.keys(f_identity), identity)
    losses["identity"] = _again(network, warp, f_posed, identity, settings)
    # Third transfer
    warp = part.warp(part.queries(f_pose), part.keys(f_posed), posed)
    losses["pose"] = _again(network, warp, f_pose, pose, settings)
    return losses


def _again(
    network: XDualNet, warp: Tensor, features: Tensor, target: Tensor, settings: XDualNetTraining
) -> Tensor:
    loss = settings.reconstruction_weight * reconstruction(network.refine(warp, features), target)
    if settings.warp_weight:
        loss = loss + settings.warp_weight * reconstruction(warp, target)
    return loss
