"""The predictions of packaged weights for a mesh, and the matches of two meshes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from repose.errors import MeshError
from repose.mesh.frame import UpFinder
from repose.mesh.mesh import Mesh
from repose.mesh.operators import directed_edges, face_areas, pieces_of
from repose.methods.canonical.inference import Inference
from repose.methods.canonical.matching import CandidateFrames, Pair, best_match, best_pair
from repose.use.transfer.body import Body

Float = NDArray[np.float64]
LOOSE = 0.02  # of the area; a mesh without a larger piece has no eigenfunctions of the whole to be matched by


def piece_areas(vertices: Float, faces: NDArray[np.integer]) -> Float:
    """Return the area of each piece of a surface (V, 3), (F, 3)."""
    pieces = pieces_of(directed_edges(faces))[: len(faces)]
    return np.bincount(pieces, face_areas(vertices, faces)).astype(np.float64)


class Placement(NamedTuple):
    """The network's result for an identity and a pose mesh.

    Attributes:
        vertices: (N, 3) the posed identity, upright, metres.
        warp: (N, 3) the coarse mesh before refinement, for systems that make one.
        predicted_error: (N,) the error that the system predicts for each vertex, metres; None if it predicts none.
        runner_up_ratio: see `repose.methods.canonical.matching.Pair`.
    """

    vertices: Float
    warp: Float | None = None
    predicted_error: Float | None = None
    runner_up_ratio: float = np.inf


class Matcher:
    """Matches identities to pose meshes by canonical coordinates; each mesh is evaluated only once."""

    def __init__(self, inference: Inference):
        self.inference = inference
        self.candidate_frames_of = lru_cache(maxsize=2)(self._candidate_frames_of)
        self.paired = lru_cache(maxsize=2)(self._paired)

    def _candidate_frames_of(self, mesh: Mesh) -> CandidateFrames:
        used, faces = np.unique(mesh.faces, return_inverse=True)
        areas = piece_areas(mesh.vertices, mesh.faces)
        if areas.max() < LOOSE * areas.sum():
            what = f"the mesh of {len(used):,} vertices is in {len(areas):,} pieces, none with {LOOSE:.0%} of its area"
            raise MeshError(what, hint="join vertices at one place (merge by distance)")
        return self.inference.candidate_frames(mesh.vertices[used], faces.reshape(mesh.faces.shape))

    def _paired(self, identity: Mesh, pose: Mesh) -> Pair:
        return best_pair(self.candidate_frames_of(identity), self.candidate_frames_of(pose))

    def up_finders(self, identity: Mesh, pose: Mesh) -> tuple[UpFinder | None, UpFinder | None]:
        """Return functions that predict the up direction of each body, by the frames in which the two match best.

        They are None if the network needs upright bodies.
        """
        if self.inference.frame is None:
            return None, None
        return (
            lambda: self.paired(identity, pose).identity.frame[1],
            lambda: self.paired(identity, pose).pose.frame[1],
        )

    def candidate_frames(self, body: Body) -> CandidateFrames:
        """Return the canonical coordinates of a body, in its given frame if the network needs upright bodies."""
        if self.inference.frame is None:
            return self.inference.candidate_frames(body.upright, body.faces)
        return self.candidate_frames_of(body.mesh)

    def found(self, identity: Body, poses: Sequence[Body]) -> list[Placement]:
        """Return for each pose mesh the identity with its vertices at their matches on it, at the identity's size.

        Raises:
            MeshError: a mesh has no area.
        """
        known, found = self.candidate_frames(identity), []
        for pose in poses:
            pair = self.paired(identity.mesh, pose.mesh) if self.inference.frame else None
            match = best_match(known, self.candidate_frames(pose), pair)
            warp = match.places.interpolate(pose.upright, pose.faces) * (identity.side / pose.side)
            found.append(Placement(warp, warp, match.predicted_error * identity.side, match.runner_up_ratio))
        return found
