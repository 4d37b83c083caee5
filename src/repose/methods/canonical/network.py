"""The networks of canonical coordinates as they learn: where on one body at rest each vertex of a mesh would be."""

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

    Vertices match where they are told the same place, so that the coarse mesh of a transfer lies on the pose mesh.
    The same network serves both meshes, and knows neither order, number nor triangles of their vertices.

    Args:
        width: channels of a vertex.
        blocks: blocks of each of the two networks.
        vibrations: eigenvectors of the surface that heat is spread by.
        finds_frame: whether there is the network that finds how a body is turned; without it bodies are upright and
            face +z.
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
        surface: Surface,  # turned anyhow
    ) -> Tensor:  # (2, 3)
        """What is up, and what is ahead, for the body; about of unit length."""
        assert self.frame is not None
        return (surface.masses[:, None] * self.frame(surface)).sum(dim=0).reshape(2, 3)

    def place(
        self,
        surface: Surface,  # upright, facing about +z
    ) -> tuple[Tensor, Tensor]:
        """Places (N, 3) on the body at rest, and how far off (N,) they are expected to be."""
        out = self.placing(surface)
        return out[:, :3], softplus(out[:, 3])

    def inference(self) -> Inference:
        """The same without PyTorch."""
        return Inference({name: x.cpu().numpy() for name, x in self.state_dict().items()}, self.vibrations)

    def forward(
        self,
        identity: Tensor,  # (B, N_id, 3), the surface has an area of 1 m²
        pose: Tensor,  # (B, N_po, 3), likewise
        faces: Faces,
    ) -> Transfer:
        """The vertices of the identity meshes, each where its place is on the surface of the pose mesh.

        Raises:
            ReposeError: wrong shapes.
            MeshError: a mesh has no area.
        """
        check_pair(identity, pose)
        first, second = (x.cpu().numpy() for x in faces)
        # One identity in many poses, as frames of a motion are, is looked at once.
        alike = bool((identity == identity[:1]).all())
        says = self.inference()
        ways = [says.ways(a, first) for a in identity[: 1 if alike else None].double().cpu().numpy()]
        bodies = zip(ways * len(pose) if alike else ways, pose.double().cpu().numpy(), strict=True)
        warps, doubts = [], []
        for known, body in bodies:
            match = best_match(known, says.ways(body, second))
            warps.append(match.places.carry(body, second))
            doubts.append(match.doubt)
        warp, doubt = (torch.from_numpy(np.stack(part)).to(identity) for part in (warps, doubts))
        return Transfer(warp, warp, doubt)
