"""The interfaces of a method's network for each medium: meshes, images, generated poses.

A network is a `torch.nn.Module` with the attributes of one of the protocols here, and takes its arguments. If it
inherits from the protocol after `nn.Module`, its attributes default to those of a network that is told nothing but its
inputs. `repose.methods.build.build` refuses a network that lacks an attribute, or that is told more than its settings
say.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from repose.errors import ReposeError
from repose.mesh.rests import RestPose, Rests


class Transfer(NamedTuple):
    """Result of posing the identity mesh like the pose mesh.

    Attributes:
        vertices: (B, N_id, 3), metres, in the identity mesh's vertex order; the caller centres it by its bounding box
            where a metric asks for that.
        warp: (B, N_id, 3), metres: the coarse mesh before refinement, for systems that make one.
        predicted_error: (B, N_id), metres: error that the system predicts for each vertex; None if it predicts none.
    """

    vertices: Tensor
    warp: Tensor | None = None
    predicted_error: Tensor | None = None

    def times(
        self,
        factors: Tensor,  # (B, 1, 1)
    ) -> Transfer:
        """Scale each mesh about the origin by its factor."""
        return Transfer(
            self.vertices * factors,
            None if self.warp is None else self.warp * factors,
            None if self.predicted_error is None else self.predicted_error * factors[..., 0],
        )


class Faces(NamedTuple):
    """The triangles of both meshes of a transfer, in the numbers of the vertices that the network sees."""

    identity: Tensor  # (F_id, 3) int64
    pose: Tensor  # (F_po, 3) int64


@runtime_checkable
class TransferNetwork(Protocol):
    """A network that gives the body of one mesh the pose of another mesh, the task of NPT (Wang et al., CVPR 2020).

    Attributes:
        ordered: whether it relies on vertex i of both meshes being the same place on the body. Other networks see both
            meshes in independent random vertex orders.
        rest_pose: number of the pose at rest, for a network that is told both bodies in that pose; `identity` for an
            oracle that is told the pose body in the pose of the identity mesh; None for other networks.
        unit_area: whether its inputs and output are scaled so that each mesh has a surface area of 1 m²; other networks
            see metres.
        sees_faces: whether it is also given the triangles of both meshes; other networks see vertices alone.
    """

    ordered: bool = False
    rest_pose: RestPose | None = None
    unit_area: bool = False
    sees_faces: bool = False

    def __call__(
        self,
        identity: Tensor,  # (B, N_id, 3) metres, y up, centred by its bounding box: the body to keep
        pose: Tensor,  # (B, N_po, 3) metres, y up, centred by its bounding box: the pose to take
        *more: Rests
        | Faces,  # given to a network with a `rest_pose`, and to one that sees faces; else absent
    ) -> Transfer:
        """The identity meshes in the poses of the pose meshes."""


class GeneratedImage(NamedTuple):
    """The output of a method for the target image.

    Attributes:
        image: (B, 3, H, W) in [-1, 1], or None from a network that only finds the flow.
        flow: (B, 2, H, W), displacement (x, y) to the source, in pixels; meaningless on the background; None if there
            is no flow.
        visibility: (B, 1, H, W), classes 0 visible, 1 invisible, 2 background; None if not known.
        share: (B, 1, H, W), the share of the warped source in the image; None if nothing was blended.
    """

    image: Tensor | None
    flow: Tensor | None = None
    visibility: Tensor | None = None
    share: Tensor | None = None


@runtime_checkable
class ImageNetwork(Protocol):
    """A network that draws the person of a source image in the pose of a target (Li, Huang and Loy, CVPR 2019).

    Attributes:
        oracle: whether it is told the target image itself.
    """

    oracle: bool = False

    def __call__(
        self,
        image: Tensor,  # (B, 3, H, W) source in [-1, 1]
        source_joints: Tensor,  # (B, 18, 3): x, y in pixels, and 1 or 0 for a joint that is not seen
        target_joints: Tensor,  # (B, 18, 3), likewise
        *target: Tensor,  # (B, 3, H, W) in [-1, 1] for an oracle, none for the others
    ) -> GeneratedImage:
        """Return the target images, or as much of their `GeneratedImage` as the network predicts."""


class RestBody(NamedTuple):
    """A body that new poses are generated for."""

    rest: Tensor  # (V, 3) metres
    faces: Tensor  # (F, 3) int64
    training: Tensor | None = None  # (P, V, 3) metres, the same body in the training poses, for an oracle


@runtime_checkable
class PoseGenerator(Protocol):
    """A network that generates poses of a body (Yoo et al., NeurIPS 2024, section 3.5).

    Attributes:
        rest_pose: number of the pose at rest.
        oracle: whether it is told true poses of the test body.
        learned_body: the body that it has learned from; None if there is no one such body.
    """

    rest_pose: int
    oracle: bool
    learned_body: RestBody | None

    def make(self, body: RestBody, count: int, draw: torch.Generator) -> Tensor:
        """Return the body in `count` new poses, (count, V, 3), metres; all randomness comes from `draw`."""


def check_pair(
    identity: Tensor,  # (B, N_id, 3)
    pose: Tensor,  # (B, N_po, 3)
) -> None:
    """Refuse tensors that are not two batches of vertices.

    Raises:
        ReposeError: a wrong shape or unequal batch sizes.
    """
    for name, mesh in (("identity", identity), ("pose", pose)):
        if mesh.ndim != 3 or mesh.shape[-1] != 3 or mesh.shape[1] < 2:
            raise ReposeError(
                f"{name} vertices have shape {tuple(mesh.shape)}", hint="expected (batch, N, 3) with N ≥ 2"
            )
    if len(identity) != len(pose):
        raise ReposeError(f"{len(identity)} identity meshes but {len(pose)} pose meshes in one batch")


def check_equal_counts(
    identity: Tensor,  # (B, N_id, 3)
    pose: Tensor,  # (B, N_po, 3)
    who: str,
    hint: str,
) -> None:
    """Refuse meshes of unequal vertex counts, for a network that pairs vertex i of both.

    Raises:
        ReposeError: names the network and both counts.
    """
    if identity.shape[1] != pose.shape[1]:
        raise ReposeError(
            f"{who} needs equal vertex counts, got {identity.shape[1]} and {pose.shape[1]}", hint=hint
        )
