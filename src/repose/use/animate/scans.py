"""Move an identity like a body of which every frame has other triangles: scans that nobody has registered.

Each frame is matched by itself, and the identity drawn to its surface twice, from the match and from where it was in
the frame before; what stretches it less is kept. What trembles then is smoothed over time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from repose.mesh.frame import Frame
from repose.mesh.mesh import Mesh
from repose.mesh.operators import unique_edges
from repose.mesh.projection import MOST, SEARCHES, SURFACE_PULL, drawn, lifted, scale
from repose.mesh.sequence import ON_FLOOR, smoothed
from repose.mesh.sheet import Sheet, turned
from repose.mesh.variation import decimated, nearest_places
from repose.progress import track
from repose.use.animate.motion import Scans
from repose.use.animate.moves import in_space
from repose.use.transfer.body import Body
from repose.use.transfer.looks import Eyes
from repose.use.transfer.run import matches
from repose.weights.boxed import BoxedModel

if TYPE_CHECKING:
    from repose.weights.model import Model

Float = NDArray[np.float64]

# Chosen on six motions of validation bodies, remeshed frame by frame (docs/use.md).
AGAIN = 20  # searches from the frame before
SMOOTH_S = 1 / 30  # of the Gaussian over time


@dataclass(frozen=True)
class Followed:
    """What an identity does like a body in scans.

    Attributes:
        frames: (T, N, 3) where it is, upright, metres.
        scale: its size as a multiple of the moving body's.
        floor: height of the lowest point of all scans, metres.
        again: frames that were reached from the frame before.
    """

    frames: Float
    scale: float
    floor: float
    again: int


class Follower:
    """An identity that is drawn to one scan after the other.

    Args:
        identity: the body that is to move.
    """

    def __init__(self, identity: Body):
        self.rest, self.faces = identity.upright, identity.faces.astype(np.int64)
        coarse, coarse_faces = decimated(self.rest, self.faces, MOST)
        self.sheet = Sheet(coarse, coarse_faces, SURFACE_PULL)
        self.down = nearest_places(coarse, self.rest, self.faces)
        self.up = nearest_places(self.rest, coarse, coarse_faces)
        self.edges = unique_edges(coarse_faces)
        self.last: Float | None = None
        self.again = 0

    def to(self, scan: Body, match: Float) -> Float:
        """Where its vertices (N, 3) come to lie on a scan, at its own size, from those of a match or the last scan."""
        surface = decimated(scan.upright, scan.faces, MOST)
        x = drawn(self.sheet, self.down.carry(match, self.faces), *surface, SEARCHES)
        if self.last is not None:
            other = drawn(self.sheet, self.last, *surface, AGAIN)
            if self._stretch(other) < self._stretch(x):
                x, self.again = other, self.again + 1
        self.last = x
        return self.up.carry(x, self.sheet.faces)

    def shape(self) -> Float:
        """The identity (N, 3) in the pose of the last scan, of which only the rotations of faces are kept."""
        assert self.last is not None
        coarse = self.sheet.rest, self.sheet.faces
        x = turned(*coarse, self.last)
        return x if len(x) == len(self.rest) else lifted(self.rest, self.faces, *coarse, x)

    def _stretch(self, x: Float) -> float:
        was, now = (
            np.linalg.norm(v[self.edges[:, 0]] - v[self.edges[:, 1]], axis=1) for v in (self.sheet.rest, x)
        )
        return float(np.abs(now - was).sum())


def follow(
    identity: Body, scans: Scans, frame: Frame, model: BoxedModel | Model, eyes: Eyes | None = None
) -> Followed:
    """Move an identity like the body in scans, whose axes and unit are known.

    Raises:
        ReposeError: the network cannot take a pair.
        MeshError: a face of the identity, or a scan, has no area.
    """
    follower = Follower(identity)
    shapes, guides, scales, lows, heights = [], [], [], [], []
    for mesh in track(scans.meshes, len(scans.meshes), "moving"):
        scan = Body.of(Mesh(mesh.vertices, mesh.faces), frame)
        (match,) = matches(identity, [scan], model, eyes)
        there = follower.to(scan, match.upright)
        shapes.append(follower.shape())
        guides.append((there[follower.faces].mean(axis=1), scan.centre))
        scales.append(scale(identity.upright, identity.faces, scan.upright, scan.faces))
        lows.append(scan.lowest)
        heights.append(np.ptp(scan.upright[:, 1]))
    size, floor = float(np.median(scales)), min(lows)
    still = smoothed(np.stack(shapes), SMOOTH_S * scans.rate).astype(np.float64)

    def guide(number: int) -> Float:
        places, centre = guides[number]
        return places + centre * size

    low, lowest = (np.array(lows) - floor) * size, (floor + ON_FLOOR * heights[0]) * size
    return Followed(in_space(identity, still, guide, low, lowest), size, floor, follower.again)
