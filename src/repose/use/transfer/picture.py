"""The picture of one transfer: identity, pose and result, from the front and from behind."""

from repose.mesh.render import common_view, render
from repose.report.sheet import contact_sheet
from repose.use.transfer.run import Body, Outcome

SIZE = (420, 340)  # pixels
VIEWS = (25.0, 205.0)  # degrees around the body


def picture(identity: Body, pose: Body, outcome: Outcome) -> bytes:
    """A PNG with all three bodies at one scale."""
    shown = (
        (identity.upright, identity.faces),
        (pose.upright, pose.faces),
        (outcome.upright, identity.faces),
    )
    rows = []
    for yaw in VIEWS:
        view = common_view([vertices for vertices, _ in shown], SIZE, yaw)
        rows.append([render(vertices, faces, SIZE, view) for vertices, faces in shown])
    return contact_sheet(rows, ("identity", "pose", "result"), ("front", "behind"))
