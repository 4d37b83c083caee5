"""Move an identity like a body of which every frame has other triangles: scans that nobody has registered.

Each frame is matched by itself, and the identity drawn to its surface twice, from the match and from where it was in
the frame before; what stretches it less is kept. What trembles then is smoothed over time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from repose.mesh.frame import Frame
from repose.mesh.mesh import Mesh
from repose.mesh.operators import unique_edges
from repose.mesh.poisson_equation import PoissonEquation
from repose.mesh.projection import MOST, SEARCHES, SURFACE_PULL, drawn, scale
from repose.mesh.sequence import ON_FLOOR, smoothed
from repose.mesh.sheet import Sheet, rotations
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
AGAIN = 10  # searches from the frame before
TOGETHER = 8
FAR = 0.15
AHEAD = True
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
        model: what matches it.
        eyes: what has looked at the meshes before, with the same model.
    """

    def __init__(self, identity: Body, model: BoxedModel | Model, eyes: Eyes | None = None):
        self.identity, self.model, self.eyes = identity, model, eyes
        self.rest, self.faces = identity.upright, identity.faces.astype(np.int64)
        coarse, coarse_faces = decimated(self.rest, self.faces, MOST)
        self.sheet = Sheet(coarse, coarse_faces, SURFACE_PULL)
        self.down = nearest_places(coarse, self.rest, self.faces)
        self.up = nearest_places(self.rest, coarse, coarse_faces)
        self.middles = nearest_places(self.rest[self.faces].mean(axis=1), coarse, coarse_faces)
        self.edges = unique_edges(coarse_faces)
        self.equation = PoissonEquation(coarse, coarse_faces)
        self.fine = self.equation if coarse is self.rest else PoissonEquation(self.rest, self.faces)
        self.again = 0

    def through(self, scans: Iterable[Body]) -> Iterator[tuple[Body, Float]]:
        """Each scan, and where the coarse vertices (K, 3) of the identity come to lie on it, at its own size."""
        scans, last = iter(scans), None
        while some := list(islice(scans, TOGETHER if last is not None else 1)):
            found = self._together(some, last)
            yield from zip(some, found, strict=True)
            last = found[-1]

    def _together(self, scans: list[Body], last: Float | None) -> list[Float]:
        """Some scans in a row: drawn from each to the next, or by themselves if that has lost the way in the last one."""
        if last is None:
            return [self._alone(scans[0])]
        found = self._drawn_on(scans, last)
        match = self._match(scans[-1])
        if self._agree(match, found[-1]):
            return found
        alone = drawn(self.sheet, match, *_surface(scans[-1]), SEARCHES)
        if self._stretch(found[-1]) <= self._stretch(alone):
            return found
        out = []
        for scan in scans:
            last = self._alone(scan, last)
            out.append(last)
        return out

    def _drawn_on(self, scans: list[Body], last: Float) -> list[Float]:
        out, before = [], last
        for scan in scans:
            x = drawn(self.sheet, 2 * last - before if AHEAD else last, *_surface(scan), AGAIN)
            before, last = last, x
            out.append(x)
            self.again += 1
        return out

    def _alone(self, scan: Body, last: Float | None = None) -> Float:
        surface = _surface(scan)
        x = drawn(self.sheet, self._match(scan), *surface, SEARCHES)
        if last is not None:
            other = drawn(self.sheet, last, *surface, 20)
            if self._stretch(other) < self._stretch(x):
                return other
        return x

    def _match(self, scan: Body) -> Float:
        (match,) = matches(self.identity, [scan], self.model, self.eyes)
        return self.down.carry(match.upright, self.faces)

    def _agree(self, match: Float, x: Float) -> bool:
        off = np.linalg.norm(match - x, axis=1) / self.identity.side
        print("off", *np.round(np.quantile(off, [0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 1]), 3), np.round(off.mean(),3))
        return bool(np.quantile(off, 0.95) < FAR)

    def shape(self, x: Float) -> Float:
        """The identity (N, 3) with its coarse vertices there, of which only the rotations of faces are kept."""
        posed = self.equation.vertices(rotations(self.equation.jacobians(x)))
        if self.fine is self.equation:
            return posed
        turns = self.sheet.turns(posed).reshape(-1, 9)  # as in `lifted`, which prepares a mesh for one pose
        return self.fine.vertices(rotations(self.middles.carry(turns, self.sheet.faces).reshape(-1, 3, 3)))

    def middle_of_faces(self, x: Float) -> Float:
        """Where the middles (F, 3) of the identity's faces lie, with its coarse vertices there."""
        return self.up.carry(x, self.sheet.faces)[self.faces].mean(axis=1)

    def _stretch(self, x: Float) -> float:
        was, now = (
            np.linalg.norm(v[self.edges[:, 0]] - v[self.edges[:, 1]], axis=1) for v in (self.sheet.rest, x)
        )
        return float(np.abs(now - was).sum())


def _surface(scan: Body) -> tuple[Float, NDArray[np.integer]]:
    return decimated(scan.upright, scan.faces, MOST)


def follow(
    identity: Body, scans: Scans, frame: Frame, model: BoxedModel | Model, eyes: Eyes | None = None
) -> Followed:
    """Move an identity like the body in scans, whose axes and unit are known.

    Raises:
        ReposeError: the network cannot take a pair.
        MeshError: a face of the identity, or a scan, has no area.
    """
    follower = Follower(identity, model, eyes)
    bodies = (
        Body.of(Mesh(mesh.vertices, mesh.faces), frame)
        for mesh in track(scans.meshes, len(scans.meshes), "moving")
    )
    shapes, guides, scales, lows, heights = [], [], [], [], []
    for scan, x in follower.through(bodies):
        shapes.append(follower.shape(x))
        guides.append((follower.middle_of_faces(x), scan.centre))
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
