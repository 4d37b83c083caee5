"""Move an identity like another body: matched in a few frames, deformed as that one is in all of them.

The frames of a motion are one mesh, so that what matches in one of them matches in all. The network is asked in a few,
the one whose match stretches the identity least is taken, and what was found there is drawn to the surface of the other
frames in turn. Then no frame is searched: every face of the identity is deformed from the matched frame on as the place
of the moving body is that it lies on (Sumner and Popović, SIGGRAPH 2004).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from repose.mesh.frame import Found, Frame
from repose.mesh.mesh import Mesh
from repose.mesh.operators import bbox_centre
from repose.mesh.poisson_equation import PoissonEquation
from repose.mesh.projection import MOST, SEARCHES, SURFACE_PULL, drawn, lifted, scale
from repose.mesh.sequence import ON_FLOOR
from repose.mesh.sheet import Sheet, turned
from repose.mesh.variation import Places, decimated, nearest_places
from repose.use.animate.motion import Motion
from repose.use.transfer.body import Body
from repose.use.transfer.looks import Eyes
from repose.use.transfer.run import matches
from repose.weights.boxed import BoxedModel

if TYPE_CHECKING:
    from repose.weights.model import Model

Float = NDArray[np.float64]

# Chosen on ten motions of validation bodies of open-human (docs/use.md).
KEYS = 5  # frames that the network is asked in
SETTLE, AGAIN = 3, 10  # rounds towards a further frame's places, and searches on its surface
_UPRIGHT = Frame(Found("y", "given", "a motion's"), Found("m", "given", "a motion's"))


@dataclass(frozen=True)
class Moving:
    """A moving body, upright and in metres, of no more vertices than a search takes.

    Attributes:
        frames: (T, M, 3) its vertices where they are in space.
        faces: (G, 3).
    """

    frames: Float
    faces: NDArray[np.integer]

    @classmethod
    def of(cls, motion: Motion, frame: Frame) -> Moving:
        """A motion whose axes and unit are known."""
        used, faces = np.unique(motion.faces, return_inverse=True)
        faces = faces.reshape(motion.faces.shape).astype(np.int64)
        frames = (frame.upright(f[used].astype(np.float64)) for f in motion.frames)
        if len(used) <= MOST:
            return cls(np.stack(list(frames)), faces)
        first = frame.upright(motion.frames[0, used].astype(np.float64))
        coarse, coarse_faces = decimated(first, faces, MOST)
        places = nearest_places(coarse, first, faces)
        return cls(np.stack([places.carry(f, faces) for f in frames]), coarse_faces)

    def centred(self, number: int) -> Float:
        """One frame (M, 3), its bounding box about the origin."""
        found: Float = self.frames[number] - bbox_centre(self.frames[number])
        return found

    def body(self, number: int) -> Body:
        """One frame as the network sees it."""
        return Body.of(Mesh(self.frames[number], self.faces), _UPRIGHT)

    @property
    def floor(self) -> float:
        """Height of the lowest point of all frames, metres."""
        return float(self.frames[:, :, 1].min())


@dataclass(frozen=True)
class Match:
    """How an identity lies in one frame of a motion.

    Attributes:
        frame: its number.
        posed: (N, 3) the identity in that pose, upright, metres.
        places: (F,) where on the moving body the middles of its faces are.
        scale: the identity's size as a multiple of the moving body's.
    """

    frame: int
    posed: Float
    places: Places
    scale: float


def match(identity: Body, moving: Moving, model: BoxedModel | Model, eyes: Eyes | None = None) -> Match:
    """Find which places of two bodies are the same, and the identity's pose in one frame.

    Raises:
        ReposeError: the network cannot take the pair.
        MeshError: a face of the identity, or the moving body, has no area.
    """
    keys = np.unique(np.linspace(0, len(moving.frames) - 1, KEYS).round().astype(int)).tolist()
    found = dict(zip(keys, matches(identity, [moving.body(key) for key in keys], model, eyes), strict=True))
    best = min(found, key=lambda key: found[key].edge_error)
    rest, faces = identity.upright, identity.faces.astype(np.int64)
    coarse, coarse_faces = decimated(rest, faces, MOST)
    start = found[best].upright
    if coarse is not rest:
        start = nearest_places(coarse, rest, faces).carry(start, faces)
    sheet = Sheet(coarse, coarse_faces, SURFACE_PULL)
    x = drawn(sheet, start, moving.centred(best), moving.faces, SEARCHES)
    last = best
    for key in [key for key in found if key != best] + [best]:
        there = _places(x, coarse, coarse_faces, moving, last)
        target = there.carry(moving.centred(key), moving.faces) * _size(coarse, coarse_faces, moving, key)
        x = sheet.follow(target, target, SETTLE)
        x = drawn(sheet, x, moving.centred(key), moving.faces, AGAIN)
        last = key
    size = _size(coarse, coarse_faces, moving, best)
    if coarse is rest:
        posed, middles = turned(rest, faces, x), x[faces].mean(axis=1)
    else:
        posed = lifted(rest, faces, coarse, coarse_faces, turned(coarse, coarse_faces, x))
        middles = nearest_places(rest[faces].mean(axis=1), coarse, coarse_faces).carry(x, coarse_faces)
    places = nearest_places(middles, moving.centred(best) * size, moving.faces)
    return Match(best, posed, places, size)


def _size(rest: Float, faces: NDArray[np.integer], moving: Moving, key: int) -> float:
    return scale(rest, faces, moving.frames[key], moving.faces)


def _places(x: Float, rest: Float, faces: NDArray[np.integer], moving: Moving, key: int) -> Places:
    return nearest_places(x, moving.centred(key) * _size(rest, faces, moving, key), moving.faces)


class Mover:
    """An identity that is matched, ready to be deformed as the moving body is.

    Args:
        identity: the body that is to move.
        moving: the body that moves.
        match: which places of the two are the same.
    """

    def __init__(self, identity: Body, moving: Moving, match: Match):
        self.identity, self.moving, self.match = identity, moving, match
        faces = identity.faces.astype(np.int64)
        self.before = PoissonEquation(moving.frames[match.frame], moving.faces)
        self.after = PoissonEquation(match.posed, faces)

    def shape(self, frame: int) -> Float:
        """The identity (N, 3) in the pose of a frame, upright, metres; its mean is the origin."""
        return self.after.vertices(self.before.jacobians(self.moving.frames[frame])[self.match.places.faces])

    def _guide(self, frame: int) -> Float:  # (F, 3)
        """Where the places of the moving body are that the identity's faces lie on, at the identity's size."""
        return self.match.places.carry(self.moving.frames[frame], self.moving.faces) * self.match.scale

    def frames(self, shapes: Float) -> Float:
        """The shapes (T, N, 3) of all frames in space: upright, metres, beginning where the identity is.

        What stands on the floor goes over it as the same places of the moving body do, at the identity's size; who
        touches nothing, as the middle of the body does. The moving body's lowest point of all is on the identity's
        floor.
        """
        floor, scale = self.moving.floor, self.match.scale
        low = (self.moving.frames[:, :, 1].min(axis=1) - floor) * scale
        lowest = (floor + ON_FLOOR * np.ptp(self.moving.frames[0, :, 1])) * scale
        return in_space(self.identity, shapes, self._guide, low, lowest)


def in_space(
    identity: Body, shapes: Float, guide: Callable[[int], Float], low: Float, lowest: float
) -> Float:
    """The shapes (T, N, 3) of an identity at the places of a moving body; see `Mover.frames`.

    Args:
        identity: where it begins, and its floor.
        shapes: wherever they are.
        guide: of a frame, where the middles (F, 3) of its faces lie on the moving body, at the identity's size.
        low: (T,) heights of the moving body's lowest point above its floor, at the identity's size.
        lowest: places of `guide` that are lower stand on the floor.
    """
    placed = shapes.copy()
    placed[:, :, [0, 2]] += np.cumsum(_steps(identity, shapes, guide, lowest), axis=0)[:, None]
    placed[:, :, [0, 2]] += (identity.centre - bbox_centre(placed[0]))[[0, 2]]
    placed[:, :, 1] += (identity.lowest + low - shapes[:, :, 1].min(axis=1))[:, None]
    return placed


def _steps(identity: Body, shapes: Float, guide: Callable[[int], Float], lowest: float) -> Float:  # (T, 2)
    """How far each shape must go along the floor, from the frame before."""
    steps, before = np.zeros((len(shapes), 2)), guide(0)
    for frame in range(1, len(shapes)):
        after = guide(frame)
        both = (before[:, 1] <= lowest) & (after[:, 1] <= lowest)
        chosen = both if both.any() else np.ones_like(both)
        went = [shapes[k][identity.faces[chosen]].mean(axis=(0, 1)) for k in (frame - 1, frame)]
        steps[frame] = ((after - before)[chosen].mean(axis=0) - (went[1] - went[0]))[[0, 2]]
        before = after
    return steps
