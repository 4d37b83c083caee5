"""Canonical coordinates: where on one body at rest each vertex of a mesh would be, and what follows for two meshes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor, nn
from torch.nn.functional import normalize, softplus

from repose.mesh.spectrum import Surface, surface_of
from repose.mesh.variation import decimated, nearest_places
from repose.methods.canonical.diffusion import DiffusionNetwork
from repose.methods.interface import Faces, Transfer, TransferNetwork, check_pair

Float = NDArray[np.float64]

_MOST = 1500  # vertices: a finer surface has no other slow vibrations, and costs more
_LOOKS = 2  # of the network that finds the frame, each from the frame before
# Each axis, one after the other, up: from a wrong start a body can be found upside down.
_STARTS = (("x", 0), ("x", 90), ("x", -90), ("x", 180), ("z", 90), ("z", -90))


class Coordinates(NamedTuple):
    """What the network says of a surface.

    Attributes:
        places: (N, 3) where each vertex would be on the body at rest, which has area 1 and its middle at the origin.
        doubt: (N,) how far off it expects to be there.
        frame: (3, 3) the rotation that brings the mesh upright and to face +z, as the network found it.
    """

    places: Float
    doubt: Float
    frame: Float


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

    def upright(
        self,
        surface: Surface,
        start: Tensor,  # (3, 3) the rotation to look from first
    ) -> Tensor:  # (3, 3)
        """The rotation that brings a surface, turned anyhow, upright and to face +z, as the network sees it."""
        turn = start
        for _ in range(_LOOKS):  # the first brings it upright, which ahead is told from
            up, ahead = self.axes(surface.turned(turn)).unbind()
            up = normalize(up, dim=0)
            ahead = normalize(ahead - (ahead @ up) * up, dim=0)
            turn = torch.stack([torch.linalg.cross(up, ahead), up, ahead]) @ turn
        return turn

    @torch.no_grad()
    def coordinates(self, vertices: Float, faces: NDArray[np.integer]) -> Coordinates:
        """What it says of a mesh (N, 3), (F, 3), of any size, place, number of vertices, and turned anyhow.

        Raises:
            MeshError: it has no area.
        """
        device = next(self.parameters()).device
        coarse = decimated(vertices, faces, _MOST)
        surface = Surface(*(x.to(device) for x in surface_of(*coarse, self.vibrations)))
        turn, places, doubt = min(self._ways(surface), key=lambda way: float(surface.masses @ way[2]))
        said = torch.cat([places, doubt[:, None]], dim=1).double().cpu().numpy()
        if len(coarse[0]) < len(vertices):
            said = nearest_places(vertices, *coarse).carry(said, coarse[1])
        return Coordinates(said[:, :3], said[:, 3], turn.double().cpu().numpy())

    def _ways(self, surface: Surface) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Rotation, places and doubt for every start: the one with the least doubt is right more often than the first.

        On validation bodies under any rotation the mean error was 0.031 in place of 0.106 (docs/canonical.md).
        """
        starts = _STARTS if self.frame else _STARTS[:1]
        for axis, degrees in starts:
            start = Rotation.from_euler(axis, degrees, degrees=True).as_matrix()
            turn = torch.from_numpy(start).to(surface.vertices)
            if self.frame:
                turn = self.upright(surface, turn)
            yield turn, *self.place(surface.turned(turn))

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
        bodies = zip(identity.double().cpu().numpy(), pose.double().cpu().numpy(), strict=True)
        found = [
            matched(self.coordinates(a, first), b, second, self.coordinates(b, second)) for a, b in bodies
        ]
        warp, doubt = (torch.from_numpy(np.stack(part)).to(identity) for part in zip(*found, strict=True))
        return Transfer(warp, warp, doubt)


def matched(
    identity: Coordinates,
    pose: Float,  # (M, 3) vertices of the pose mesh
    faces: NDArray[np.integer],  # (G, 3) its faces
    said: Coordinates,  # of the pose mesh
) -> tuple[Float, Float]:  # (N, 3), (N,)
    """The points of the pose mesh whose coordinates come nearest to those of the identity's vertices, and their doubt.

    The doubt has three parts: what the network says of either mesh, and how far apart the coordinates are.
    """
    places = nearest_places(identity.places, said.places, faces)
    there = places.carry(np.c_[pose, said.doubt], faces)
    return there[:, :3], identity.doubt + there[:, 3] + places.distances
