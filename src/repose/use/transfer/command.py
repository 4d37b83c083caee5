"""`repose transfer`: files in, a file and a few plain sentences out."""

from dataclasses import dataclass
from pathlib import Path

from repose.mesh.finish import Finish
from repose.mesh.formats.io import check_suffix, read_mesh, write_mesh
from repose.mesh.frame import find_frame
from repose.provenance.publish import publish
from repose.use.transfer.picture import picture
from repose.use.transfer.run import LARGEST, Body, Outcome, transfer
from repose.weights.model import open_model

POOR = 0.15  # mean edge error; the identity's parts are then visibly stretched


@dataclass(frozen=True)
class Said:
    """What the user says about the frame of a mesh; "auto" is to be found."""

    up: str = "auto"
    unit: str = "auto"


def run(
    identity: Path,
    pose: Path,
    model: Path,
    out: Path,
    says: tuple[Said, Said],
    report: Path | None = None,
    pose_rest: Path | None = None,
    finish: Finish = "none",
) -> None:
    """Pose `identity` like `pose` and write `out`, in the identity's vertex order, faces, axes and unit.

    Args:
        identity, pose: meshes; any vertex counts, frames and formats.
        model: the folder of a run, or an imported model.
        out: mesh to write; the suffix chooses the format.
        says: what the user says about the frames of identity and pose.
        report: a PNG to draw identity, pose and result into.
        pose_rest: the body of the pose mesh at rest, for a model that needs it; the identity is at rest then, too.
        finish: projection of the result on what the surface of the identity can do.
    """
    check_suffix(out)
    opened = open_model(model)
    print(f"model     {opened}")
    kept, source = _body(identity, says[0]), _body(pose, says[1])
    rest = Body.of(read_mesh(pose_rest), source.frame) if pose_rest else None
    print("\n".join(_describe("identity", identity, kept) + _describe("pose", pose, source)))
    outcome = transfer(kept, source, opened, rest, finish)
    write_mesh(out, outcome.mesh)
    print("\n".join(_result(out, kept, outcome)))
    if report:
        with publish(report) as private:
            private.write_bytes(picture(kept, source, outcome))
        print(f"report    {report}")


def _body(path: Path, said: Said) -> Body:
    mesh = read_mesh(path)
    y_up = path.suffix.lower() == ".glb"
    return Body.of(mesh, find_frame(mesh.vertices[mesh.faces].reshape(-1, 3), said.up, said.unit, y_up, path))


def _describe(name: str, path: Path, body: Body) -> list[str]:
    lines = [
        f"{name:9} {path}: {len(body.mesh.vertices):,} vertices, {len(body.mesh.faces):,} faces",
        f"          up axis {body.frame.up}",
        f"          unit {body.frame.unit}",
    ]
    if unused := len(body.mesh.vertices) - len(body.used):
        lines.append(f"          {unused:,} vertices are in no face and stay where they are")
    return lines


def _result(out: Path, identity: Body, outcome: Outcome) -> list[str]:
    frame = identity.frame
    lines = [
        f"result    {out}: {len(identity.mesh.vertices):,} vertices, {frame.up.value} up, unit {frame.unit.value},"
        " order and faces of the identity, about the middle of the identity",
        f"          edges are {outcome.edge_error:.1%} longer or shorter than the identity's on average",
    ]
    if outcome.edge_error > POOR:
        lines.append(
            "          that is much: is the up axis right, does the body face along the model's axis (+z when y is up),"
            " is it of the kind that the model was trained on, and long enough?"
        )
    largest = max(abs(identity.upright).max(), abs(outcome.upright).max()) * 2
    if largest > 0.95 * LARGEST:
        lines.append(
            f"          no part can be further than {LARGEST / 2:g} m from the middle: is the unit right?"
        )
    return lines
