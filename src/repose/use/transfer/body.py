"""A body from a user's file in the frame that networks expect, and the result of a transfer."""

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
        mesh: the mesh as read.
        frame: its up axis and unit.
        used: (N,) numbers of the vertices that faces use; others do not belong to the body.
        upright: (N, 3) those vertices, y up, metres, their bounding box about the origin.
        centre: (3,) the original middle of that bounding box, y up, metres.
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
        """The faces (F, 3) in the numbering of `used`."""
        return np.searchsorted(self.used, self.mesh.faces)

    @cached_property
    def side(self) -> float:
        """The side of a square with the area of its surface, metres.

        Raises:
            MeshError: the surface has no area.
        """
        area = face_areas(self.upright, self.faces).sum()
        if not area > 0:
            raise MeshError("a mesh whose faces have no area")
        return float(np.sqrt(area))

    @property
    def stands(self) -> bool:
        """Whether its lowest point is on the plane y = 0, up to 1 % of its longest side."""
        return bool(abs(self.lowest) <= GROUND * np.ptp(self.upright, axis=0).max())

    @property
    def lowest(self) -> float:
        """The height of its lowest point in the file, metres."""
        return float(self.upright[:, 1].min() + self.centre[1])

    def with_shape(self, upright: np.ndarray) -> Mesh:
        """This mesh with other `upright` vertices, about any origin: same order, faces, frame and unused vertices.

        The middle of its bounding box stays in place; if the body stands, the lowest point stays at its height instead.
        """
        place = self.centre - bbox_centre(upright)
        if self.stands:
            place[1] = self.lowest - upright[:, 1].min()
        return Mesh(self.restored(upright + place), self.mesh.faces)

    def restored(self, upright: np.ndarray) -> np.ndarray:
        """Return the vertices (V, 3) of the mesh in its own frame, from upright ones (N, 3) in space."""
        vertices = self.mesh.vertices.copy()
        vertices[self.used] = self.frame.restored(upright)
        return vertices


@dataclass(frozen=True)
class Outcome:
    """The result of a transfer.

    Attributes:
        upright: (N, 3) posed vertices of the identity, y up, metres, about the origin.
        mesh: the identity mesh with these vertices.
        edge_error: mean over edges of | length / length in the identity - 1 |.
        predicted_error: (N,) the error that the model predicts for each vertex, before any finish, metres; None if it
            predicts none.
        runner_up_ratio: see `repose.methods.canonical.matching.Pair`; infinite for a model that does not compare.
    """

    upright: np.ndarray
    mesh: Mesh
    edge_error: float
    predicted_error: np.ndarray | None = None
    runner_up_ratio: float = np.inf


def stretch(identity: Body, upright: np.ndarray) -> float:
    """Return the mean over the identity's edges of | length in `upright` (N, 3) / length - 1 |."""
    edges = unique_edges(identity.faces)
    was, now = (np.linalg.norm(x[edges[:, 0]] - x[edges[:, 1]], axis=1) for x in (identity.upright, upright))
    return float(np.abs(now[was > 0] / was[was > 0] - 1).mean())
