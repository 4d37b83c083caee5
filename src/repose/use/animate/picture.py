"""An image of a motion: the moving body and the identity at some times."""

from collections.abc import Callable

import numpy as np

from repose.mesh.render import common_view, render
from repose.report.sheet import contact_sheet
from repose.use.transfer.body import Body

SIZE = (300, 330)  # pixels
SHOWN, YAW = 8, 25.0


def picture(
    identity: Body, frames: np.ndarray, moving: Callable[[int], tuple[np.ndarray, np.ndarray]], floor: float
) -> bytes:
    """Return a PNG with up to eight frames (T, N, 3) of the result below those of the motion, at one scale.

    Args:
        identity: the body of the frames.
        frames: vertices of the result, upright, metres.
        moving: returns vertices and faces of the moving body at a time, upright, metres, at the identity's size.
        floor: height of its lowest point over all times, in the same units.
    """
    numbers = np.unique(np.linspace(0, len(frames) - 1, SHOWN).round().astype(int)).tolist()
    rows = [[moving(k) for k in numbers], [(frames[k], identity.faces) for k in numbers]]
    middles = [[v - v.mean(axis=0) * [1, 0, 1] for v, _ in row] for row in rows]
    floors = floor, identity.lowest
    stood = [[v - [0, height, 0] for v in row] for row, height in zip(middles, floors, strict=True)]
    view = common_view([v for row in stood for v in row], SIZE, YAW)
    drawn = [
        [render(v, faces, SIZE, view) for v, (_, faces) in zip(bodies, row, strict=True)]
        for bodies, row in zip(stood, rows, strict=True)
    ]
    return contact_sheet(drawn, [f"frame {k}" for k in numbers], ("motion", "result"))
