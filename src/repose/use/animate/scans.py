"""Animate an identity like a body whose frames have different triangles: unregistered scans.

The first frame is matched, and the identity is drawn to its surface from there, then from frame to frame. Some frames
are matched again. If such a match stretches the identity less, earlier frames are reached backwards from it. If it lies
elsewhere, the identity may be lost; then each frame since the last match is matched, and what stretches less is kept.
Jitter is smoothed over time.
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
from repose.mesh.operators import edge_lengths, unique_edges
from repose.mesh.poisson_equation import PoissonEquation
from repose.mesh.projection import MOST, SEARCHES, SURFACE_PULL, drawn, scale
from repose.mesh.sequence import ON_FLOOR, smoothed
from repose.mesh.sheet import Sheet, rotations
from repose.mesh.variation import closest_points, decimated
from repose.progress import track
from repose.use.animate.motion import Scans
from repose.use.animate.moves import in_space
from repose.use.transfer.body import Body
from repose.use.transfer.matching import Matcher
from repose.use.transfer.run import matches
from repose.weights.numpy_model import NumpyModel

if TYPE_CHECKING:
    from repose.weights.model import Model

Float = NDArray[np.float64]

# Chosen on six motions of validation bodies, remeshed frame by frame (docs/use.md).
# vertices of the coarse copy that moves first, its searches, and the searches of all vertices after it
COARSE, FIRST, LAST = 2000, 10, 5
TOGETHER = 16  # frames in a group, the last of which is matched, too
# the identity is not lost if this share of its vertices is so near to a match, over the identity's side
FAR, MOSTLY = 0.15, 0.95
SMOOTH_S = 1 / 30  # standard deviation of the Gaussian over time


@dataclass(frozen=True)
class Followed:
    """The animation of an identity that follows scans.

    Attributes:
        frames: (T, N, 3) its vertices, upright, metres.
        scale: the identity's size as a multiple of the moving body's.
        floor: height of the lowest point of all scans, metres.
        again: number of frames that were reached again from a neighbour.
    """

    frames: Float
    scale: float
    floor: float
    again: int


class Follower:
    """An identity that is drawn to one scan after another.

    Args:
        identity: the body to animate.
        model: the model that matches it.
        matcher: cache of what the same model found for the meshes before.
    """

    def __init__(self, identity: Body, model: NumpyModel | Model, matcher: Matcher | None = None):
        self.identity, self.model, self.matcher = identity, model, matcher
        rest, self.faces = identity.upright, identity.faces.astype(np.int64)
        self.sheet = Sheet(*decimated(rest, self.faces, MOST), SURFACE_PULL)
        sheet = self.sheet.rest, self.sheet.faces
        self.coarse = Sheet(*decimated(*sheet, COARSE), SURFACE_PULL)
        self.of_coarse = closest_points(self.coarse.rest, *sheet)
        self.by_coarse = closest_points(self.sheet.rest, self.coarse.rest, self.coarse.faces)
        self.of_rest = closest_points(self.sheet.rest, rest, self.faces)
        self.by_sheet = closest_points(rest[self.faces].mean(axis=1), *sheet)
        self.edges = unique_edges(self.sheet.faces)
        self.equation = PoissonEquation(*sheet)
        self.fine = self.equation if self.sheet.rest is rest else PoissonEquation(rest, self.faces)
        self.again = 0

    def through(self, scans: Iterable[Body]) -> Iterator[tuple[Body, Float]]:
        """Yield each scan with the vertices (K, 3) of the identity's sheet on it, at the identity's size."""
        scans, last = iter(scans), list[Float]()
        while some := list(islice(scans, TOGETHER)):
            found = self._together(some, last)
            yield from zip(some, found, strict=True)
            last = [*last, *found][-2:]

    def _together(self, scans: list[Body], last: list[Float]) -> list[Float]:
        """Process a group of scans forwards, or backwards from a match of the last one if that stretches less."""
        first = [] if last else [self._from_match(scans[0])[1]]
        after = scans[len(first) :]
        if not after:
            return first
        found = [*first, *self._followed(after, last or first)]
        match, x = self._from_match(scans[-1])
        if np.quantile(np.linalg.norm(match - found[-1], axis=1), MOSTLY) > FAR * self.identity.side:
            return [*first, *self._matched(after, [*last, *first][-1])]
        self.again += len(after)
        if self._stretch(x) < self._stretch(found[-1]):
            back = [x, *self._followed(scans[-2::-1], [x])][::-1]
            found = min(found, back, key=lambda chain: sum(map(self._stretch, chain)))
        return found

    def _followed(self, scans: list[Body], last: list[Float]) -> list[Float]:
        """Draw the sheet to each scan, from the position extrapolated from the two frames before."""
        known = list(last)
        for scan in scans:
            known.append(self._on(scan, 2 * known[-1] - known[-2] if len(known) > 1 else known[-1]))
        return known[len(last) :]

    def _matched(self, scans: list[Body], x: Float) -> list[Float]:
        """Draw the sheet to each scan both from its match and from the frame before, and keep what stretches less."""
        found = []
        for scan in scans:
            start, on = self._from_match(scan)[1], self._on(scan, x)
            x = min(start, on, key=self._stretch)
            self.again += x is on
            found.append(x)
        return found

    def _from_match(self, scan: Body) -> tuple[Float, Float]:
        """Return the matched position on the scan, and the position that it is drawn to from there."""
        (found,) = matches(self.identity, [scan], self.model, self.matcher)
        match = self.of_rest.interpolate(found.upright, self.faces)
        return match, drawn(self.sheet, match, *_surface(scan), SEARCHES)

    def _on(self, scan: Body, start: Float) -> Float:
        """Draw the sheet to a scan from a start that is near: a coarse copy goes first and takes it along."""
        surface = _surface(scan)
        before = self.of_coarse.interpolate(start, self.sheet.faces)
        steps = drawn(self.coarse, before, *surface, FIRST) - before
        return drawn(self.sheet, start + self.by_coarse.interpolate(steps, self.coarse.faces), *surface, LAST)

    def shape(self, x: Float) -> Float:
        """Return the identity (N, 3) with its sheet at `x`; only the rotations of faces are kept."""
        posed = self.equation.vertices(rotations(self.equation.jacobians(x)))
        if self.fine is self.equation:
            return posed
        # like `lifted`, which would prepare a mesh for each pose
        turns = self.sheet.turns(posed).reshape(-1, 9)
        return self.fine.vertices(
            rotations(self.by_sheet.interpolate(turns, self.sheet.faces).reshape(-1, 3, 3))
        )

    def middles(self, x: Float) -> Float:
        """Return the middles (F, 3) of the identity's faces with its sheet at `x`."""
        return self.by_sheet.interpolate(x, self.sheet.faces)

    def _stretch(self, x: Float) -> float:
        was, now = (edge_lengths(v, self.edges) for v in (self.sheet.rest, x))
        return float(np.abs(now - was).sum())


def _surface(scan: Body) -> tuple[Float, NDArray[np.integer]]:
    return decimated(scan.upright, scan.faces, MOST)


def follow(
    identity: Body,
    scans: Scans,
    frame: Frame,
    model: NumpyModel | Model,
    matcher: Matcher | None = None,
    smooth_s: float = SMOOTH_S,
) -> Followed:
    """Animate an identity like scans whose axes and unit are known, smoothed by a Gaussian of `smooth_s` seconds.

    Raises:
        ReposeError: the network cannot take a pair.
        MeshError: a face of the identity, or a scan, has no area.
    """
    follower = Follower(identity, model, matcher)
    bodies = (
        Body.of(Mesh(mesh.vertices, mesh.faces), frame)
        for mesh in track(scans.meshes, len(scans.meshes), "moving")
    )
    shapes, guides, scales, lows, heights = [], [], [], [], []
    for scan, x in follower.through(bodies):
        shapes.append(follower.shape(x))
        guides.append((follower.middles(x), scan.centre))
        scales.append(scale(identity.upright, identity.faces, scan.upright, scan.faces))
        lows.append(scan.lowest)
        heights.append(np.ptp(scan.upright[:, 1]))
    size, floor = float(np.median(scales)), min(lows)
    still = smoothed(np.stack(shapes), smooth_s * scans.rate).astype(np.float64)

    def guide(number: int) -> Float:
        places, centre = guides[number]
        return places + centre * size

    low, lowest = (np.array(lows) - floor) * size, (floor + ON_FLOOR * heights[0]) * size
    return Followed(in_space(identity, still, guide, low, lowest), size, floor, follower.again)
