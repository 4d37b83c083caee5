"""A body of a user's file, in the frame that networks know; and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from repose.errors import MeshError
from repose.mesh.frame import GROUND, Frame
from repose.mesh.mesh import Mesh
from repose.mesh.operators import bbox_centre, face_areas, unique_edges


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
    def of(cls, mesh: Mesh, frame: Frame) -> Body:
        """Bring a mesh into the network's frame."""
        used = np.unique(mesh.faces)
        upright = frame.upright(mesh.vertices[used])
        centre = bbox_centre(upright)
        return cls(mesh, frame, used, upright - centre, centre)

    @cached_property
    def faces(self) -> np.ndarray:
        """(F, 3) faces in the numbering of `used`."""
        return np.searchsorted(self.used, self.mesh.faces)

    @cached_property
    def side(self) -> float:
        """The side of the square that is as large as its surface, metres.

        Raises:
            MeshError: it has no area.
        """
        area = face_areas(self.upright, self.faces).sum()
        if not area > 0:
            raise MeshError("a mesh whose faces have no area")
        return float(np.sqrt(area))

    @property
    def stands(self) -> bool:
        """Whether its lowest point is on the plane y = 0, as far as 1 % of its longest side."""
        return bool(abs(self.lowest) <= GROUND * np.ptp(self.upright, axis=0).max())

    @property
    def lowest(self) -> float:
        """Height of its lowest point where the file has it, metres."""
        return float(self.upright[:, 1].min() + self.centre[1])

    def with_shape(self, upright: np.ndarray) -> Mesh:
        """This mesh with other `upright` vertices, about any origin: same order, faces, frame and unused vertices.

        The middle of its bounding box stays where it is; of a body that stands, the lowest point stays at its height.
        """
        place = self.centre - bbox_centre(upright)
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
        rival: see `repose.methods.canonical.matching.Match`; infinite for a model that does not compare.
    """

    upright: np.ndarray
    mesh: Mesh
    edge_error: float
    doubt: np.ndarray | None = None
    rival: float = np.inf


def stretch(identity: Body, upright: np.ndarray) -> float:
    """The mean over the identity's edges of | length in `upright` (N, 3) / length - 1 |."""
    edges = unique_edges(identity.faces)
    was, now = (np.linalg.norm(x[edges[:, 0]] - x[edges[:, 1]], axis=1) for x in (identity.upright, upright))
    return float(np.abs(now[was > 0] / was[was > 0] - 1).mean())
