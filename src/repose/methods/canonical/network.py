"""The networks of canonical coordinates for training: where on one body at rest each vertex of a mesh would be."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from repose.mesh.spectrum import Surface
from repose.methods.canonical.diffusion import DiffusionNetwork
from repose.methods.canonical.inference import Inference
from repose.methods.canonical.matching import best_match
from repose.methods.interface import Faces, Transfer, TransferNetwork, check_pair


class CanonicalNetwork(nn.Module, TransferNetwork):
    """A network on surfaces that places vertices on a body at rest, and one that finds how a body is turned.

    Vertices of two meshes match if the network gives them the same place. The coarse mesh of a transfer therefore lies
    on the pose mesh. One network serves both meshes; it does not depend on the order, the number or the triangles of
    their vertices.

    Args:
        width: channels of a vertex.
        blocks: blocks of each of the two networks.
        vibrations: number of eigenvectors of the surface used for the diffusion.
        finds_frame: whether there is a network that finds the orientation of a body; without it bodies must be upright
            and face +z.
    """

    unit_area = True
    sees_faces = True

    def __init__(self, width: int = 128, blocks: int = 4, vibrations: int = 96, finds_frame: bool = False):
        super().__init__()
        self.vibrations = vibrations
        self.frame = DiffusionNetwork(width, blocks, 6) if finds_frame else None
        self.placing = DiffusionNetwork(width, blocks, 4)

    def axes(
        self,
        surface: Surface,  # in any orientation
    ) -> Tensor:  # (2, 3)
        """Return the up and forward directions of the body, (2, 3), of about unit length."""
        assert self.frame is not None
        return (surface.masses[:, None] * self.frame(surface)).sum(dim=0).reshape(2, 3)

    def place(
        self,
        surface: Surface,  # upright, facing about +z
    ) -> tuple[Tensor, Tensor]:
        """Return the places (N, 3) of the vertices on the body at rest, and the predicted errors (N,)."""
        out = self.placing(surface)
        return out[:, :3], softplus(out[:, 3])

    def inference(self) -> Inference:
        """Return the same networks without PyTorch."""
        return Inference({name: x.cpu().numpy() for name, x in self.state_dict().items()}, self.vibrations)

    def forward(
        self,
        identity: Tensor,  # (B, N_id, 3), the surface has an area of 1 m²
        pose: Tensor,  # (B, N_po, 3), likewise
        faces: Faces,
    ) -> Transfer:
        """Place each vertex of the identity meshes at its match on the surface of the pose mesh.

        Raises:
            ReposeError: wrong shapes.
            MeshError: a mesh has no area.
        """
        check_pair(identity, pose)
        first, second = (x.cpu().numpy() for x in faces)
        # The same identity in many poses, as in the frames of a motion, is encoded once.
        alike = bool((identity == identity[:1]).all())
        networks = self.inference()
        candidates = [
            networks.candidate_frames(a, first)
            for a in identity[: 1 if alike else None].double().cpu().numpy()
        ]
        bodies = zip(
            candidates * len(pose) if alike else candidates, pose.double().cpu().numpy(), strict=True
        )
        warps, errors = [], []
        for known, body in bodies:
            match = best_match(known, networks.candidate_frames(body, second))
            warps.append(match.places.interpolate(body, second))
            errors.append(match.predicted_error)
        warp, error = (torch.from_numpy(np.stack(part)).to(identity) for part in (warps, errors))
        return Transfer(warp, warp, error)
