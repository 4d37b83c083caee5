"""The picture of a motion: the moving body and the identity at some times."""

import numpy as np

from repose.mesh.render import common_view, render
from repose.report.sheet import contact_sheet
from repose.use.animate.moves import Moving
from repose.use.transfer.body import Body

SIZE = (300, 330)  # pixels
SHOWN, YAW = 8, 25.0


def picture(identity: Body, moving: Moving, scale: float, frames: np.ndarray) -> bytes:
    """A PNG with up to eight frames (T, N, 3) of the result below those of the motion, at one scale."""
    numbers = np.unique(np.linspace(0, len(frames) - 1, SHOWN).round().astype(int))
    rows = [
        [(moving.frames[k] * scale, moving.faces) for k in numbers],
        [(frames[k], identity.faces) for k in numbers],
    ]
    middles = [[v - v.mean(axis=0) * [1, 0, 1] for v, _ in row] for row in rows]
    floors = moving.floor * scale, identity.lowest
    stood = [[v - [0, floor, 0] for v in row] for row, floor in zip(middles, floors, strict=True)]
    view = common_view([v for row in stood for v in row], SIZE, YAW)
    drawn = [
        [render(v, faces, SIZE, view) for v, (_, faces) in zip(bodies, row, strict=True)]
        for bodies, row in zip(stood, rows, strict=True)
    ]
    return contact_sheet(drawn, [f"frame {k}" for k in numbers], ("motion", "result"))
