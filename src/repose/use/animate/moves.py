"""Animate an identity like another body: match it in a few frames, then deform it as that body deforms.

The frames of a motion are one mesh, so a match in one frame holds in all. The network matches a few frames; the match
that stretches the identity least is kept, and is refined by drawing it to the surface of the other frames in turn. Then
no frame needs a search: each face of the identity is deformed, from the matched frame on, like the place on the moving
body that it lies on (Sumner and Popović, SIGGRAPH 2004).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from repose.mesh.frame import Answer, Frame
from repose.mesh.mesh import Mesh
from repose.mesh.operators import bbox_centre
from repose.mesh.poisson_equation import PoissonEquation
from repose.mesh.projection import MOST, SEARCHES, SURFACE_PULL, drawn, lifted, scale
from repose.mesh.sequence import ON_FLOOR
from repose.mesh.sheet import Sheet, turned
from repose.mesh.variation import SurfacePoints, closest_points, decimated
from repose.use.animate.motion import Motion
from repose.use.transfer.body import Body
from repose.use.transfer.matching import Matcher
from repose.use.transfer.run import matches
from repose.weights.numpy_model import NumpyModel

if TYPE_CHECKING:
    from repose.weights.model import Model

Float = NDArray[np.float64]

# Chosen on ten motions of validation bodies of open-human (docs/use.md).
KEYS = 5  # frames that the network matches
SETTLE, AGAIN = 3, 10  # rounds towards the places in a further frame, and searches on its surface
_UPRIGHT = Frame(Answer("y", "given", "a motion's"), Answer("m", "given", "a motion's"))


@dataclass(frozen=True)
class Moving:
    """A moving body, upright and in metres, with no more vertices than a search can take.

    Attributes:
        frames: (T, M, 3) its vertices in space.
        faces: (G, 3).
    """

    frames: Float
    faces: NDArray[np.integer]

    @classmethod
    def of(cls, motion: Motion, frame: Frame) -> Moving:
        """Return a motion whose axes and unit are known as a moving body."""
        used, faces = np.unique(motion.faces, return_inverse=True)
        faces = faces.reshape(motion.faces.shape).astype(np.int64)
        frames = (frame.upright(f[used].astype(np.float64)) for f in motion.frames)
        if len(used) <= MOST:
            return cls(np.stack(list(frames)), faces)
        first = frame.upright(motion.frames[0, used].astype(np.float64))
        coarse, coarse_faces = decimated(first, faces, MOST)
        places = closest_points(coarse, first, faces)
        return cls(np.stack([places.interpolate(f, faces) for f in frames]), coarse_faces)

    def centred(self, number: int) -> Float:
        """Return one frame (M, 3), with its bounding box about the origin."""
        found: Float = self.frames[number] - bbox_centre(self.frames[number])
        return found

    def body(self, number: int) -> Body:
        """Return one frame as the network sees it."""
        return Body.of(Mesh(self.frames[number], self.faces), _UPRIGHT)

    @property
    def floor(self) -> float:
        """The height of the lowest point of all frames, metres."""
        return float(self.frames[:, :, 1].min())


@dataclass(frozen=True)
class Match:
    """The match of an identity with one frame of a motion.

    Attributes:
        frame: number of the frame.
        posed: (N, 3) the identity in that pose, upright, metres.
        places: (F,) places on the moving body of the middles of its faces.
        scale: the identity's size as a multiple of the moving body's.
    """

    frame: int
    posed: Float
    places: SurfacePoints
    scale: float


def match(identity: Body, moving: Moving, model: NumpyModel | Model, matcher: Matcher | None = None) -> Match:
    """Match two bodies, and return the identity's pose in one frame.

    Raises:
        ReposeError: the network cannot take the pair.
        MeshError: a face of the identity, or the moving body, has no area.
    """
    keys = np.unique(np.linspace(0, len(moving.frames) - 1, KEYS).round().astype(int)).tolist()
    found = dict(
        zip(keys, matches(identity, [moving.body(key) for key in keys], model, matcher), strict=True)
    )
    best = min(found, key=lambda key: found[key].edge_error)
    rest, faces = identity.upright, identity.faces.astype(np.int64)
    coarse, coarse_faces = decimated(rest, faces, MOST)
    start = found[best].upright
    if coarse is not rest:
        start = closest_points(coarse, rest, faces).interpolate(start, faces)
    sheet = Sheet(coarse, coarse_faces, SURFACE_PULL)
    x = drawn(sheet, start, moving.centred(best), moving.faces, SEARCHES)
    last = best
    for key in [key for key in found if key != best] + [best]:
        there = _places(x, coarse, coarse_faces, moving, last)
        target = there.interpolate(moving.centred(key), moving.faces) * _size(
            coarse, coarse_faces, moving, key
        )
        x = sheet.follow(target, target, SETTLE)
        x = drawn(sheet, x, moving.centred(key), moving.faces, AGAIN)
        last = key
    size = _size(coarse, coarse_faces, moving, best)
    if coarse is rest:
        posed, middles = turned(rest, faces, x), x[faces].mean(axis=1)
    else:
        posed = lifted(rest, faces, coarse, coarse_faces, turned(coarse, coarse_faces, x))
        middles = closest_points(rest[faces].mean(axis=1), coarse, coarse_faces).interpolate(x, coarse_faces)
    places = closest_points(middles, moving.centred(best) * size, moving.faces)
    return Match(best, posed, places, size)


def _size(rest: Float, faces: NDArray[np.integer], moving: Moving, key: int) -> float:
    return scale(rest, faces, moving.frames[key], moving.faces)


def _places(x: Float, rest: Float, faces: NDArray[np.integer], moving: Moving, key: int) -> SurfacePoints:
    return closest_points(x, moving.centred(key) * _size(rest, faces, moving, key), moving.faces)


class Mover:
    """A matched identity, ready to be deformed like the moving body.

    Args:
        identity: the body to animate.
        moving: the body that moves.
        match: the match of the two.
    """

    def __init__(self, identity: Body, moving: Moving, match: Match):
        self.identity, self.moving, self.match = identity, moving, match
        faces = identity.faces.astype(np.int64)
        self.before = PoissonEquation(moving.frames[match.frame], moving.faces)
        self.after = PoissonEquation(match.posed, faces)

    def shape(self, frame: int) -> Float:
        """Return the identity (N, 3) in the pose of a frame, upright, metres, with its mean at the origin."""
        return self.after.vertices(self.before.jacobians(self.moving.frames[frame])[self.match.places.faces])

    def _guide(self, frame: int) -> Float:  # (F, 3)
        """Return the places on the moving body that the identity's faces lie on, at the identity's size."""
        return self.match.places.interpolate(self.moving.frames[frame], self.moving.faces) * self.match.scale

    def frames(self, shapes: Float) -> Float:
        """Place the shapes (T, N, 3) of all frames in space: upright, metres, starting at the identity's position.

        Parts that stand on the floor move along it like the same places of the moving body, at the identity's size; if
        nothing touches the floor, the identity moves like the middle of the body. The moving body's lowest point over
        all frames is put on the identity's floor.
        """
        floor, scale = self.moving.floor, self.match.scale
        low = (self.moving.frames[:, :, 1].min(axis=1) - floor) * scale
        lowest = (floor + ON_FLOOR * np.ptp(self.moving.frames[0, :, 1])) * scale
        return in_space(self.identity, shapes, self._guide, low, lowest)


def in_space(
    identity: Body, shapes: Float, guide: Callable[[int], Float], low: Float, lowest: float
) -> Float:
    """Place the shapes (T, N, 3) of an identity like a moving body; see `Mover.frames`.

    Args:
        identity: the body, which gives the start position and the floor.
        shapes: at any position.
        guide: returns for a frame the places (F, 3) of the middles of its faces on the moving body, at the identity's
            size.
        low: (T,) heights of the moving body's lowest point above its floor, at the identity's size.
        lowest: places of `guide` below this height stand on the floor.
    """
    placed = shapes.copy()
    placed[:, :, [0, 2]] += np.cumsum(_steps(identity, shapes, guide, lowest), axis=0)[:, None]
    placed[:, :, [0, 2]] += (identity.centre - bbox_centre(placed[0]))[[0, 2]]
    placed[:, :, 1] += (identity.lowest + low - shapes[:, :, 1].min(axis=1))[:, None]
    return placed


def _steps(identity: Body, shapes: Float, guide: Callable[[int], Float], lowest: float) -> Float:  # (T, 2)
    """Return the displacement of each shape along the floor from the previous frame."""
    steps, before = np.zeros((len(shapes), 2)), guide(0)
    for frame in range(1, len(shapes)):
        after = guide(frame)
        both = (before[:, 1] <= lowest) & (after[:, 1] <= lowest)
        chosen = both if both.any() else np.ones_like(both)
        went = [shapes[k][identity.faces[chosen]].mean(axis=(0, 1)) for k in (frame - 1, frame)]
        steps[frame] = ((after - before)[chosen].mean(axis=0) - (went[1] - went[0]))[[0, 2]]
        before = after
    return steps
