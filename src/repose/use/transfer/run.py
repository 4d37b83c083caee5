"""Pose one mesh like another: frames found, network run, result put back into the identity mesh's own frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from repose.data.meshes import sides
from repose.errors import ReposeError
from repose.mesh.finish import Finish
from repose.mesh.frame import GROUND, Frame
from repose.mesh.mesh import Mesh
from repose.mesh.metrics import edge_error
from repose.mesh.operators import bbox_centre, unique_edges
from repose.mesh.projection import finished
from repose.mesh.rests import Rests
from repose.methods.interface import Faces, Transfer, TransferNetwork
from repose.methods.shuffle import transfer_shuffled
from repose.weights.model import Model

LARGEST = 4.0  # metres: the networks end in 2 tanh(.) about the middle


@dataclass(frozen=True)
class Body:
    """A mesh as the network sees it.

    Attributes:
        mesh: as read.
        frame: its up axis and unit.
        used: (N,) numbers of the vertices that faces use; the others are no part of the body.
        upright: (N, 3) those vertices, y up, metres, their bounding box about the origin.
        centre: (3,) the middle of that bounding box before, y up, metres.
    """

    mesh: Mesh
    frame: Frame
    used: np.ndarray
    upright: np.ndarray
    centre: np.ndarray

    @classmethod
    def of(cls, mesh: Mesh, frame: Frame) -> "Body":
        """Bring a mesh into the network's frame."""
        used = np.unique(mesh.faces)
        upright = frame.upright(mesh.vertices[used])
        centre = bbox_centre(upright)
        return cls(mesh, frame, used, upright - centre, centre)

    @property
    def faces(self) -> np.ndarray:
        """(F, 3) faces in the numbering of `used`."""
        return np.searchsorted(self.used, self.mesh.faces)

    @property
    def stands(self) -> bool:
        """Whether its lowest point is on the plane y = 0, as far as 1 % of its longest side."""
        return bool(abs(self.lowest) <= GROUND * np.ptp(self.upright, axis=0).max())

    @property
    def lowest(self) -> float:
        """Height of its lowest point where the file has it, metres."""
        return float(self.upright[:, 1].min() + self.centre[1])

    def with_shape(self, upright: np.ndarray) -> Mesh:
        """This mesh with other `upright` vertices: same order, faces, frame and unused vertices.

        The middle of its bounding box stays where it is; of a body that stands, the lowest point stays at its height.
        """
        place = self.centre.copy()
        if self.stands:
            place[1] = self.lowest - upright[:, 1].min()
        return Mesh(self.restored(upright + place), self.mesh.faces)

    def restored(self, upright: np.ndarray) -> np.ndarray:
        """The vertices (V, 3) of the mesh, in its own frame, from upright ones (N, 3) in space."""
        vertices = self.mesh.vertices.copy()
        vertices[self.used] = self.frame.restored(upright)
        return vertices


@dataclass(frozen=True)
class Outcome:
    """What a transfer gives.

    Attributes:
        upright: (N, 3) posed vertices of the identity, y up, metres, about the origin.
        mesh: the identity mesh with them.
        edge_error: mean over edges of | length / length in the identity - 1 |.
        doubt: (N,) how far off the model expects each vertex to have been placed, metres, before any finish; None of
            a model that does not say.
    """

    upright: np.ndarray
    mesh: Mesh
    edge_error: float
    doubt: np.ndarray | None = None


@torch.inference_mode()
def transfer(
    identity: Body, pose: Body, model: Model, pose_rest: Body | None = None, finish: Finish = "none"
) -> Outcome:
    """Pose `identity` like `pose`; vertex counts, orders and faces of the two have nothing to do with each other.

    Args:
        identity: for a network that knows bodies at rest, the identity at rest.
        pose: the body in the pose to take.
        model: the network.
        pose_rest: the body of `pose` at rest, with its vertices and faces, for such a network alone.
        finish: projection that the result goes through; of a network that makes a coarse warp first, that is what does.

    Raises:
        ReposeError: the network cannot take this pair, or gives no numbers.
    """
    first, second, found = _found(identity, [pose], model, pose_rest)
    out = finished(finish, first, identity.faces, second, pose.faces, found.vertices, found.warp)
    return _outcome(identity, first, out, found.doubt, model)


@torch.inference_mode()
def matches(identity: Body, poses: Sequence[Body], model: Model) -> list[Outcome]:
    """`transfer` to several poses of one body, without a finish; what is known of the identity is found once.

    Raises:
        ReposeError: as `transfer`.
    """
    first, _, found = _found(identity, poses, model, None)
    doubts = found.doubt if found.doubt is not None else [None] * len(poses)
    return [
        _outcome(identity, first, out[None], None if doubt is None else doubt[None], model)
        for out, doubt in zip(found.vertices.float(), doubts, strict=True)
    ]


def _found(
    identity: Body, poses: Sequence[Body], model: Model, pose_rest: Body | None
) -> tuple[torch.Tensor, torch.Tensor, Transfer]:
    """The identity (1, N, 3), the poses (B, M, 3) of one body, and what the network makes of each pair."""
    network, pose = model.network, poses[0]
    if not isinstance(network, TransferNetwork):
        raise ReposeError("this model does not pose one mesh like another", model.weights)
    if network.ordered:
        _check_order(identity, pose, model.weights)
    first = _batch([identity])
    second = _batch(poses)
    rests = _rests(identity, pose, pose_rest, network.rest_pose is not None, model.weights)
    # As in training, the network sees vertices in random order, always the same one.
    rng = np.random.default_rng(0)
    order, pose_order = (torch.from_numpy(rng.permutation(x.shape[1])) for x in (first, second))
    faces = Faces(*(torch.from_numpy(body.faces.astype(np.int64)) for body in (identity, pose)))
    side, other = (
        (_side(identity, first), _side(pose, second))
        if network.unit_area
        else (torch.ones(1, 1, 1), torch.ones(1, 1, 1))
    )
    found = transfer_shuffled(
        network, (first / side).expand(len(poses), -1, -1), second / other, order, pose_order, faces, rests
    )
    return first, second, found.times(side)


def _outcome(
    identity: Body, first: torch.Tensor, out: torch.Tensor, doubt: torch.Tensor | None, model: Model
) -> Outcome:
    """One result, its bounding box about the origin."""
    if not out.isfinite().all():
        raise ReposeError("predicts vertices that are no numbers", model.weights)
    edges = torch.from_numpy(unique_edges(identity.faces)).long()
    lengths = (first[0][edges[:, 0]] - first[0][edges[:, 1]]).norm(dim=-1)
    upright = out[0].numpy().astype(np.float64)
    upright -= bbox_centre(upright)
    error = float(edge_error(out, first, edges[lengths > 0]))
    said = None if doubt is None else doubt[0].numpy().astype(np.float64)
    return Outcome(upright, identity.with_shape(upright), error, said)


def _check_order(identity: Body, pose: Body, weights: Path) -> None:
    """Refuse two bodies of which vertex i is not the same place, for a network that relies on it.

    Raises:
        ReposeError: their faces differ.
    """
    if not np.array_equal(identity.mesh.faces, pose.mesh.faces):
        raise ReposeError(
            "this model needs two bodies of one vertex order and the same faces, and these have others",
            weights,
            "take a model that needs none, such as corenet",
        )


def _batch(bodies: Sequence[Body]) -> torch.Tensor:
    return torch.from_numpy(np.stack([body.upright for body in bodies]).astype(np.float32))


def _side(body: Body, vertices: torch.Tensor) -> torch.Tensor:
    """The side (B, 1, 1) of the square that is as large as each surface, metres."""
    found = sides(vertices, torch.from_numpy(body.faces.astype(np.int64)))
    if not (found > 0).all():
        raise ReposeError("a mesh whose faces have no area")
    return found


def _rests(identity: Body, pose: Body, pose_rest: Body | None, told: bool, weights: Path) -> Rests | None:
    """Both bodies at rest, if that is what the network of these weights is told."""
    if pose_rest is None and not told:
        return None
    if pose_rest is None:
        raise ReposeError(
            "this model must see the body of the pose mesh at rest, too",
            weights,
            "give it as --pose-rest; the identity must be at rest as well",
        )
    if not told:
        raise ReposeError("this model takes no body at rest", weights, "leave out --pose-rest")
    if not np.array_equal(pose_rest.mesh.faces, pose.mesh.faces):
        raise ReposeError("pose mesh and its body at rest have other faces")
    bodies = (_batch([body]) for body in (identity, pose_rest))
    faces = (torch.from_numpy(body.faces.astype(np.int64)) for body in (identity, pose_rest))
    return Rests(*bodies, *faces)
