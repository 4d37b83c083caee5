"""An image of one transfer: identity, pose, result and predicted error, from the front and from behind."""

import numpy as np
from matplotlib import colormaps

from repose.mesh.render import common_view, render
from repose.report.sheet import contact_sheet
from repose.use.transfer.body import Body, Outcome

SIZE = (420, 340)  # pixels
VIEWS = (25.0, 205.0)  # degrees around the body


def picture(identity: Body, pose: Body, outcome: Outcome) -> bytes:
    """Return a PNG with all bodies at one scale; errors are dark at 0, and yellow from a tenth of the body's size."""
    shown = (
        (identity.upright, identity.faces),
        (pose.upright, pose.faces),
        (outcome.upright, identity.faces),
    )
    rows = []
    for yaw in VIEWS:
        view = common_view([vertices for vertices, _ in shown], SIZE, yaw)
        row = [render(vertices, faces, SIZE, view) for vertices, faces in shown]
        if outcome.predicted_error is not None:
            row.append(
                render(
                    outcome.upright, identity.faces, SIZE, view, _colours(outcome.predicted_error, identity)
                )
            )
        rows.append(row)
    columns = ("identity", "pose", "result", "predicted error")[: len(rows[0])]
    return contact_sheet(rows, columns, ("front", "behind"))


def _colours(errors: np.ndarray, identity: Body) -> np.ndarray:
    """Return colours (N, 3) for errors (N,) in metres."""
    size = np.ptp(identity.upright, axis=0).max()
    return np.asarray(colormaps["viridis"](np.clip(errors / (0.1 * size), 0, 1)))[:, :3]
