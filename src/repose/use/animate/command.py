"""The command `repose animate`: from an identity and a motion to one animated file, or a file for each frame."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from repose.errors import MeshError, ReposeError
from repose.mesh.formats.asset import Asset, asset_of, write_asset
from repose.mesh.formats.files import check_output, check_picture, write_bytes
from repose.mesh.formats.rewrite.morphs import animated
from repose.mesh.frame import Frame
from repose.mesh.sequence import ON_FLOOR, foot_slide, jitter
from repose.progress import track
from repose.provenance.publish import publish
from repose.use.animate.motion import Motion, Scans, read_motion
from repose.use.animate.moves import Mover, Moving, match
from repose.use.animate.scans import SMOOTH_S, follow
from repose.use.transfer.body import Body, stretch
from repose.use.transfer.files import Said, frame_of, read_surface
from repose.use.transfer.matching import Matcher
from repose.use.transfer.models import matcher_of, model_for

DIGITS = 4  # digits of a frame's number in its file name


def run(
    identity: Path,
    motion: Path,
    model: Path,
    out: Path,
    says: tuple[Said, Said],
    rate: float | None = None,
    every: int = 1,
    sequence: str | None = None,
    report: Path | None = None,
) -> None:
    """Animate `identity` like the body of `motion`, and write the result.

    Args:
        identity: the body to move.
        motion: path that `read_motion` reads.
        model: the name of weights that come with the package, the folder of a run, or an imported model; "auto": the
            packaged weights for the kind of the two bodies.
        out: a .glb, animated by morph targets; a .npz of all vertices; or a folder to create, with a file for each
            frame.
        says: the user's statements on the frames of identity and motion.
        rate, every, sequence: see `read_motion`.
        report: a PNG that shows some frames of both.
    """
    _check(out, motion)
    check_output(out, identity, motion)
    if report:
        check_picture(report, out, identity, motion)
    asset, moves = read_surface(identity), read_motion(motion, rate, every, sequence)
    start = moves.mesh(0)
    opened, kind = model_for(model, asset.mesh, start)
    if kind:
        print(f"kind      {kind}")
    print(f"model     {opened}")
    matcher = matcher_of(opened)
    up_finders = matcher.up_finders(asset.mesh, start) if matcher else (None, None)
    frame = frame_of(asset.mesh, identity, asset.is_y_up, says[0], up_finders[0])
    other = frame_of(start, motion, moves.is_y_up, says[1], up_finders[1])
    lost: list[str] = []
    if out.suffix.lower() == ".glb" and not asset.is_y_up:
        data, lost = asset.converted(asset.mesh.vertices, out)
        asset = replace(asset_of(data, out), path=identity)
    body = Body.of(asset.mesh, frame)
    print("\n".join(_described(asset, frame, moves, other)))
    if isinstance(moves, Scans):
        done = _scanned(body, moves, other, opened, matcher)
    else:
        done = _registered(body, moves, other, opened, matcher)
    if not np.isfinite(done.frames).all():
        raise ReposeError("predicts vertices that are no numbers", opened.weights)
    _write(asset, body, done.frames, moves.rate, out)
    print("\n".join(_result(out, body, done, moves.rate)))
    if lost:
        print(f"          a .glb written from a {identity.suffix} has no {', '.join(lost)}")
    elif out.suffix.lower() == ".glb" and asset.has_animations:
        print("          its own animations are left out")
    if report:
        from repose.use.animate.picture import picture  # half a second of imports

        with publish(report) as private:
            private.write_bytes(picture(body, done.frames, done.seen, done.floor))
        print(f"report    {report}")


class _Moved(NamedTuple):
    """The animation of an identity, and the moving body at the identity's size."""

    frames: np.ndarray  # (T, N, 3) upright, metres
    how: str
    seen: Callable[[int], tuple[np.ndarray, np.ndarray]]  # returns vertices and faces of the moving body
    floor: float
    theirs: np.ndarray | None  # (T, M, 3) the moving body, if all frames have the same vertices


def _registered(body: Body, moves: Motion, frame: Frame, model: Any, matcher: Matcher | None) -> _Moved:
    moving = Moving.of(moves, frame)
    mover = Mover(body, moving, match(body, moving, model, matcher))
    numbers = track(range(len(moving.frames)), len(moving.frames), "moving")
    frames = mover.frames(np.stack([mover.shape(k) for k in numbers]))
    theirs, floor = moving.frames * mover.match.scale, moving.floor * mover.match.scale
    how = f"matched in frame {mover.match.frame}"
    return _Moved(frames, how, lambda k: (theirs[k], moving.faces), floor, theirs)


def _scanned(body: Body, moves: Scans, frame: Frame, model: Any, matcher: Matcher | None) -> _Moved:
    done = follow(body, moves, frame, model, matcher)
    how = f"{done.again:,} drawn on from a frame beside them, the others matched; smoothed over {SMOOTH_S:.3f} s"

    def seen(number: int) -> tuple[np.ndarray, np.ndarray]:
        scan = Body.of(moves.mesh(number), frame)
        return (scan.upright + scan.centre) * done.scale, scan.faces

    return _Moved(done.frames, how, seen, done.floor * done.scale, None)


def _check(out: Path, motion: Path) -> None:
    if out.suffix.lower() not in (".glb", ".npz", ""):
        hint = "say a .glb, which is animated; a .npz, of all vertices; or a folder, of a file for each frame"
        raise MeshError(f"cannot write a motion as {out.suffix}", out, hint)
    if not out.suffix and out.exists():
        raise MeshError("is there already", out, "say a folder that is not")
    if out.suffix.lower() == ".glb" and out.resolve().parent == motion.resolve():
        raise MeshError("would be a frame of the motion the next time", out, "say another folder")


def _write(asset: Asset, body: Body, frames: np.ndarray, rate: float, out: Path) -> None:
    """Write all frames (T, N, 3), upright in metres, in the axes and unit of the identity."""
    placed = (body.restored(frame) for frame in frames)
    if not out.suffix:
        with publish(out) as private:
            private.mkdir()
            for number, vertices in enumerate(placed):
                write_asset(asset, private / f"{number:0{DIGITS}}{asset.path.suffix.lower()}", vertices)
        return
    spread = np.stack([asset.spread(vertices).astype(np.float32) for vertices in placed])
    if out.suffix.lower() == ".glb":
        write_bytes(out, animated(asset.data, asset.file, spread, rate, asset.path))
    else:
        with publish(out) as private, private.open("wb") as file:
            np.savez_compressed(file, vertices=spread, faces=asset.file.faces, rate=np.float64(rate))


def _described(asset: Asset, frame: Frame, moves: Motion | Scans, other: Frame) -> list[str]:
    return [
        f"identity  {asset.path}: {len(asset.file.vertices):,} vertices, {len(asset.file.faces):,} faces",
        f"          up axis {frame.up}",
        f"          unit {frame.unit}",
        f"motion    {moves}",
        f"          up axis {other.up}",
        f"          unit {other.unit}",
    ]


def _result(out: Path, body: Body, done: _Moved, rate: float) -> list[str]:
    frames, theirs = done.frames, done.theirs
    stretched = np.mean([stretch(body, frame) for frame in frames])
    lines = [
        f"result    {out}: {len(frames):,} frames, {rate:g} a second; {done.how}",
        f"          edges are {stretched:.1%} longer or shorter than the identity's on average",
    ]
    if len(frames) > 2:
        other = "" if theirs is None else f", those of the motion by {jitter(theirs, rate):.2f}"
        lines.append(
            f"          vertices are accelerated by {jitter(frames, rate):.2f} m/s² on average{other}"
        )
    near = ON_FLOOR * np.ptp(done.seen(0)[0][:, 1])
    ours = foot_slide(frames, rate, body.lowest, near)
    if np.isfinite(ours):
        went = np.nan if theirs is None else foot_slide(theirs, rate, done.floor, near)
        other = f", in the motion {100 * went:.1f}" if np.isfinite(went) else ""
        lines.append(f"          what stands on the floor goes {100 * ours:.1f} cm/s over it{other}")
    return lines
