"""Pose one mesh like another: run the network, fit the identity's surface to the result, and restore its frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from repose.errors import ReposeError
from repose.mesh.finish import Finish
from repose.mesh.operators import bbox_centre
from repose.mesh.projection import projected
from repose.use.transfer.body import Body, Outcome, stretch
from repose.use.transfer.matching import Matcher, Placement
from repose.weights.numpy_model import NumpyModel

if TYPE_CHECKING:
    from repose.weights.model import Model


def transfer(
    identity: Body,
    pose: Body,
    model: NumpyModel | Model,
    pose_rest: Body | None = None,
    finish: Finish = "none",
    matcher: Matcher | None = None,
) -> Outcome:
    """Pose `identity` like `pose`; their vertex counts, orders and faces need not be related.

    Args:
        identity: the body to keep; at rest for a network that needs bodies at rest.
        pose: the body in the pose to take.
        model: the network.
        pose_rest: the body of `pose` at rest, with its vertices and faces, only for such a network.
        finish: projection of the result; if the network makes a coarse warp first, the warp is projected.
        matcher: cache of what the same model found for the meshes before.

    Raises:
        ReposeError: the network cannot take this pair, or returns values that are not finite.
    """
    (found,) = _found(identity, [pose], model, pose_rest, matcher)
    start = found.vertices if finish == "none" or found.warp is None else found.warp
    out = projected(finish, identity.upright, identity.faces, start, pose.upright, pose.faces)
    return _outcome(identity, out, found, model)


def matches(
    identity: Body, poses: Sequence[Body], model: NumpyModel | Model, matcher: Matcher | None = None
) -> list[Outcome]:
    """Run `transfer` for several poses of one body, without a finish; what depends on the identity is computed once.

    Raises:
        ReposeError: as `transfer`.
    """
    found = _found(identity, poses, model, None, matcher)
    return [_outcome(identity, each.vertices, each, model) for each in found]


def _found(
    identity: Body,
    poses: Sequence[Body],
    model: NumpyModel | Model,
    pose_rest: Body | None,
    matcher: Matcher | None,
) -> list[Placement]:
    if not isinstance(model, NumpyModel):
        from repose.use.transfer.networks import found_by

        return found_by(model, identity, poses, pose_rest)
    if pose_rest is not None:
        raise ReposeError("this model takes no body at rest", model.weights, "leave out --pose-rest")
    return (matcher or Matcher(model.inference)).found(identity, poses)


def _outcome(identity: Body, out: np.ndarray, found: Placement, model: NumpyModel | Model) -> Outcome:
    """Return one result with its bounding box about the origin."""
    if not np.isfinite(out).all():
        raise ReposeError("predicts vertices that are no numbers", model.weights)
    upright = out - bbox_centre(out)
    stretched = stretch(identity, upright)
    return Outcome(
        upright, identity.with_shape(upright), stretched, found.predicted_error, found.runner_up_ratio
    )
