"""Run trained networks that need PyTorch on two bodies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from repose.errors import ReposeError
from repose.mesh.rests import Rests
from repose.methods.interface import Faces, TransferNetwork
from repose.methods.shuffle import transfer_shuffled
from repose.use.transfer.body import Body
from repose.use.transfer.matching import Placement
from repose.weights.model import Model


@torch.inference_mode()
def found_by(model: Model, identity: Body, poses: Sequence[Body], pose_rest: Body | None) -> list[Placement]:
    """Return the network's result for the identity and each pose of one body.

    Raises:
        ReposeError: the network cannot take the pair.
    """
    network, pose = model.network, poses[0]
    if not isinstance(network, TransferNetwork):
        raise ReposeError("this model does not pose one mesh like another", model.weights)
    if network.ordered:
        _check_order(identity, pose, model)
    rests = _rests(identity, pose, pose_rest, model)
    first, second = _batch([identity]), _batch(poses)
    # As in training, the network sees vertices in random order, here always the same one.
    rng = np.random.default_rng(0)
    order, pose_order = (torch.from_numpy(rng.permutation(x.shape[1])) for x in (first, second))
    faces = Faces(*(torch.from_numpy(body.faces.astype(np.int64)) for body in (identity, pose)))
    side = torch.ones(1, 1, 1)
    if network.unit_area:
        side = torch.tensor(identity.side).reshape(1, 1, 1)
        second = second / torch.tensor([body.side for body in poses]).reshape(-1, 1, 1)
    first = (first / side).expand(len(poses), -1, -1)
    out = transfer_shuffled(network, first, second, order, pose_order, faces, rests).times(side)
    parts: list[Any] = [[None] * len(poses) if part is None else part.double().numpy() for part in out]
    return [Placement(*of_one) for of_one in zip(*parts, strict=True)]


def _check_order(identity: Body, pose: Body, model: Model) -> None:
    """Refuse two bodies whose vertices do not correspond, for a network that relies on it.

    Raises:
        ReposeError: their faces differ.
    """
    if not np.array_equal(identity.mesh.faces, pose.mesh.faces):
        raise ReposeError(
            "this model needs two bodies of one vertex order and the same faces, and these have others",
            model.weights,
            "take a model that needs none, such as corenet",
        )


def _batch(bodies: Sequence[Body]) -> torch.Tensor:
    return torch.from_numpy(np.stack([body.upright for body in bodies]).astype(np.float32))


def _rests(identity: Body, pose: Body, pose_rest: Body | None, model: Model) -> Rests | None:
    """Return both bodies at rest if the network needs them."""
    told = model.network.rest_pose is not None
    if pose_rest is None and not told:
        return None
    if pose_rest is None:
        raise ReposeError(
            "this model must see the body of the pose mesh at rest, too",
            model.weights,
            "give it as --pose-rest; the identity must be at rest as well",
        )
    if not told:
        raise ReposeError("this model takes no body at rest", model.weights, "leave out --pose-rest")
    if not np.array_equal(pose_rest.mesh.faces, pose.mesh.faces):
        raise ReposeError("pose mesh and its body at rest have other faces")
    bodies = (_batch([body]) for body in (identity, pose_rest))
    faces = (torch.from_numpy(body.faces.astype(np.int64)) for body in (identity, pose_rest))
    return Rests(*bodies, *faces)
