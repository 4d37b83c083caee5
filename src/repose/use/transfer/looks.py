"""What weights see of a mesh, and which places of two meshes they take for one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from repose.mesh.frame import Look
from repose.mesh.mesh import Mesh
from repose.methods.canonical.inference import Inference
from repose.methods.canonical.matching import Ways, best_match
from repose.use.transfer.body import Body

Float = NDArray[np.float64]


class Found(NamedTuple):
    """What a network makes of an identity and a pose mesh.

    Attributes:
        vertices: (N, 3) of the identity, posed, upright, metres.
        warp: (N, 3) the coarse mesh before refinement, of systems that make one.
        doubt: (N,) how far off each vertex is expected to be, metres, of systems that say so.
        rival: see `repose.methods.canonical.matching.Match`.
    """

    vertices: Float
    warp: Float | None = None
    doubt: Float | None = None
    rival: float = np.inf


class Eyes:
    """Canonical coordinates, asked of the meshes of a transfer; a mesh is looked at once."""

    def __init__(self, inference: Inference):
        self.inference = inference
        self.seen = lru_cache(maxsize=2)(self._seen)

    def _seen(self, mesh: Mesh) -> Ways:
        used, faces = np.unique(mesh.faces, return_inverse=True)
        return self.inference.ways(mesh.vertices[used], faces.reshape(mesh.faces.shape))

    def look(self, mesh: Mesh) -> Look:
        """How to ask which direction is up for the body."""
        return lambda: self.seen(mesh).ways[0].frame[1]

    def ways(self, body: Body) -> Ways:
        """All that may be said of a body; one that must be upright and face +z is seen as it is in its frame."""
        if self.inference.frame is None:
            return self.inference.ways(body.upright, body.faces)
        return self.seen(body.mesh)

    def found(self, identity: Body, poses: Sequence[Body]) -> list[Found]:
        """The identity, each of its vertices where its place is on a pose mesh, at its own size; for every pose mesh.

        Raises:
            MeshError: a mesh has no area.
        """
        known, found = self.ways(identity), []
        for pose in poses:
            match = best_match(known, self.ways(pose))
            warp = match.places.carry(pose.upright, pose.faces) * (identity.side / pose.side)
            found.append(Found(warp, warp, match.doubt * identity.side, match.rival))
        return found
