"""The command `repose transfer`: from files to a file and a few plain sentences."""

from pathlib import Path

import numpy as np

from repose.mesh.finish import Finish
from repose.mesh.formats.files import check_output, check_picture
from repose.mesh.formats.io import check_suffix
from repose.provenance.publish import publish
from repose.use.transfer.body import Body, Outcome
from repose.use.transfer.files import Said, describe, pair_of, read_rest, read_surface, write
from repose.use.transfer.matching import Matcher
from repose.use.transfer.models import matcher_of, model_for, usual_finish
from repose.use.transfer.run import transfer

# metres: outputs end in 2 tanh(.) about the middle, except those that are places on the pose mesh
LARGEST = 4.0
POOR = 0.15  # mean edge error above which the identity's parts are visibly stretched
# Mean predicted error, as a share of the body's size. It is above that of all 50 pairs of scans in
# docs/canonical.md; these include pairs that failed before feet were used, so a lower one is no guarantee.
LARGE_ERROR = 0.1
AMBIGUOUS = (
    # how many times worse the fit the other way round is; 2 of 60 validation pairs are below, and both are right
    1.2
)


def run(
    identity: Path,
    pose: Path,
    model: Path,
    out: Path,
    says: tuple[Said, Said],
    report: Path | None = None,
    pose_rest: Path | None = None,
    finish: Finish | None = None,
) -> None:
    """Pose `identity` like `pose` and write `out`: the identity's file with other positions, in its axes and unit.

    Args:
        identity, pose: meshes with any vertex counts, frames and formats.
        model: the name of weights that come with the package, the folder of a run, or an imported model; "auto": the
            packaged weights for the kind of the meshes.
        out: mesh to write; the suffix chooses the format.
        says: the user's statements on the frames of identity and pose.
        report: a PNG that shows identity, pose and result.
        pose_rest: the body of the pose mesh at rest, for a model that needs it; the identity is at rest then, too.
        finish: projection of the result on what the surface of the identity can do; None: that of `usual_finish`.
    """
    check_suffix(out)
    inputs = (identity, pose, pose_rest) if pose_rest else (identity, pose)
    check_output(out, *inputs)
    if report:
        check_picture(report, out, *inputs)
    assets = read_surface(identity), read_surface(pose)
    opened, kind = model_for(model, *(asset.mesh for asset in assets))
    if kind:
        print(f"kind      {kind}")
    print(f"model     {opened}")
    finish = finish or usual_finish(opened)
    matcher = matcher_of(opened)
    files = pair_of(*assets, says, matcher)
    kept, source = (file.body for file in files)
    rest = read_rest(pose_rest, files[1]) if pose_rest else None
    print("\n".join(describe("identity", files[0]) + describe("pose", files[1])))
    outcome = transfer(kept, source, opened, rest, finish, matcher)
    about = write(files[0], out, outcome.mesh.vertices)
    print("\n".join(_result(out, kept, outcome, matcher) + about))
    if report:
        from repose.use.transfer.picture import picture  # half a second of imports

        with publish(report) as private:
            private.write_bytes(picture(kept, source, outcome))
        print(f"report    {report}")


def _result(out: Path, identity: Body, outcome: Outcome, matcher: Matcher | None) -> list[str]:
    kept = identity.frame
    lines = [
        f"result    {out}: {kept.up.value} up, unit {kept.unit.value}, order and faces of the identity",
        f"          edges are {outcome.edge_error:.1%} longer or shorter than the identity's on average",
    ]
    if outcome.edge_error > POOR:
        frame = "is the up axis right, does the body face along the model's axis (+z when y is up), "
        lines.append(
            f"          that is much: {'' if matcher and matcher.inference.frame else frame}is it of the kind that the "
            "model was trained on, and long enough?"
        )
    if outcome.predicted_error is not None:
        share = outcome.predicted_error.mean() / np.ptp(identity.upright, axis=0).max()
        lines.append(
            f"          the model expects its matches to be {share:.1%} of the body's size off on average"
        )
        if share > LARGE_ERROR:
            lines.append(
                "          that is much: are both of the kind that the model was trained on, whole and upright?"
            )
    if outcome.runner_up_ratio < AMBIGUOUS:
        lines.append(
            f"          the other way round it would fit only {outcome.runner_up_ratio:.2f} times as badly: look at "
            "the result whether front and back, left and right are exchanged"
        )
    if matcher:  # places on the pose mesh, of any size
        return lines
    largest = max(abs(identity.upright).max(), abs(outcome.upright).max()) * 2
    if largest > 0.95 * LARGEST:
        lines.append(
            f"          no part can be further than {LARGEST / 2:g} m from the middle: is the unit right?"
        )
    return lines
