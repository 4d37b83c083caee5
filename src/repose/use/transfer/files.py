"""The two files of a transfer: read them as bodies in compatible frames, describe them, and write the result."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from repose.errors import MeshError, ReposeError
from repose.mesh.formats.asset import Asset, read_asset, write_asset
from repose.mesh.frame import Answer, Frame, UpFinder, find_frame
from repose.mesh.mesh import Mesh
from repose.mesh.operators import face_areas
from repose.use.transfer.body import Body
from repose.use.transfer.kind import WHOLE
from repose.use.transfer.matching import Matcher, piece_areas

TRUST = ("a guess", "likely", "sure", "given")
LEAST_VERTICES, FLAT = 4, 1e-6  # of the shortest extent, as a share of the longest
ALIKE = 2.0  # size ratio up to which two meshes have the same unit; different units differ by 10 or more


@dataclass(frozen=True)
class Said:
    """The user's statements on the frame of a mesh; "auto": to be found."""

    up: str = "auto"
    unit: str = "auto"


@dataclass(frozen=True)
class Source:
    """A mesh file, and its mesh as the network sees it."""

    asset: Asset
    body: Body


def read_surface(path: Path) -> Asset:
    """Read a mesh file of a body.

    Raises:
        MeshError: it cannot be read, or what it has is no surface of a body.
    """
    asset = read_asset(path)
    used = asset.mesh.vertices[np.unique(asset.mesh.faces)]
    extents = np.linalg.svd(used - used.mean(axis=0), compute_uv=False)
    if not extents[0] > 0:
        raise MeshError("all its vertices are at one place", path, "is it a body?")
    if len(used) < LEAST_VERTICES or not extents[-1] > FLAT * extents[0]:
        raise MeshError(f"{len(used):,} vertices in its faces, and flat", path, "is it a body?")
    if not face_areas(asset.mesh.vertices, asset.mesh.faces).sum() > 0:
        raise MeshError("its faces have no area", path, "is it a body?")
    return asset


def read_body(path: Path, said: Said) -> Source:
    """Read one mesh and find its frame.

    Raises:
        MeshError: it cannot be read, is no surface of a body, or its frame cannot be told.
    """
    asset = read_surface(path)
    return Source(asset, Body.of(asset.mesh, frame_of(asset.mesh, path, asset.is_y_up, said)))


def pair_of(
    first: Asset, second: Asset, says: tuple[Said, Said], matcher: Matcher | None = None
) -> tuple[Source, Source]:
    """Return identity and pose mesh as the network sees them.

    Two meshes with the same faces are one body in two poses, or two bodies of one topology. Then vertices stay paired,
    seams are joined alike, and if the user states nothing, both get one frame, the more reliable one.

    Raises:
        MeshError: the frame of one mesh cannot be found.
    """
    if alike := first.has_faces_of(second):
        second = second.as_joined_like(first)
    up_finders = matcher.up_finders(first.mesh, second.mesh) if matcher else (None, None)
    frames = (
        frame_of(first.mesh, first.path, first.is_y_up, says[0], up_finders[0]),
        frame_of(second.mesh, second.path, second.is_y_up, says[1], up_finders[1]),
    )
    if alike and first.is_y_up == second.is_y_up:
        frames = _shared(frames, says, (first, second))
    return Source(first, Body.of(first.mesh, frames[0])), Source(second, Body.of(second.mesh, frames[1]))


def read_rest(path: Path, pose: Source) -> Body:
    """Return the body of the pose mesh at rest, in the frame of the pose mesh.

    Raises:
        ReposeError: the file cannot be read, or has other faces than the pose mesh.
    """
    asset = read_asset(path)
    if not asset.has_faces_of(pose.asset):
        raise ReposeError("pose mesh and its body at rest have other faces", path)
    return Body.of(asset.as_joined_like(pose.asset).mesh, pose.body.frame)


def describe(name: str, source: Source) -> list[str]:
    """Return lines that describe a file that was read."""
    asset, body = source.asset, source.body
    lines = [
        f"{name:9} {asset.path}: {len(asset.file.vertices):,} vertices, {len(asset.file.faces):,} faces",
        f"          up axis {body.frame.up}",
        f"          unit {body.frame.unit}",
    ]
    if asset.joined:
        lines.append(f"          vertices where another is, at a seam: {asset.joined:,}, which move with it")
    if asset.flat_faces:
        lines.append(
            f"          faces without an area: {asset.flat_faces:,}, left out of the geometry, kept in the file"
        )
    areas = piece_areas(body.upright, body.faces)
    if areas.max() < WHOLE * areas.sum():
        share = areas.max() / areas.sum()
        lines.append(
            f"          in {len(areas)} pieces, the largest with {share:.0%} of the area: is it one body?"
        )
    if turned := asset.turned_faces:
        lines.append(
            f"          faces that point inwards, or not as their neighbours: {turned:,}, turned for the geometry, "
            "kept in the file"
        )
    if unused := len(asset.file.vertices) - len(np.unique(asset.file.faces)):
        lines.append(f"          vertices in no face: {unused:,}, which stay where they are")
    return lines


def write(source: Source, out: Path, vertices: np.ndarray) -> list[str]:
    """Write the identity's file with other positions, and return remarks on it, one line each.

    Raises:
        MeshError: the format cannot be written, or cannot hold the positions.
        OSError: the file cannot be written.
    """
    lost, lines = write_asset(source.asset, out, vertices), []
    if lost:
        lines.append(
            f"          a {out.suffix} written from a {source.asset.path.suffix} has no {', '.join(lost)}"
        )
    elif source.asset.has_skeleton:
        lines.append("          skin weights and skeleton are kept; the new pose is their rest pose")
    if not lost and out.resolve().parent != source.asset.path.resolve().parent and source.asset.libraries:
        names = ", ".join(source.asset.libraries)
        lines.append(f"          its materials are in files of their own, to be copied beside it: {names}")
    if source.body.stands:
        lines.append("          it stands on the floor, as the identity does")
    return lines


def frame_of(
    mesh: Mesh, path: Path, is_y_up: bool, said: Said, find_up_axis: UpFinder | None = None
) -> Frame:
    """Return the frame of a mesh of a file, whose format may state that y is up; `find_up_axis` is as in `find_frame`.

    Raises:
        MeshError: the frame cannot be found.
    """
    corners = mesh.vertices[mesh.faces].reshape(-1, 3)
    return find_frame(corners, said.up, said.unit, is_y_up, path, find_up_axis)


def _shared(
    frames: tuple[Frame, Frame], says: tuple[Said, Said], assets: tuple[Asset, Asset]
) -> tuple[Frame, Frame]:
    """Return the frames of two meshes of one topology; if both were guessed, both get the more reliable one."""
    first, second = frames
    if says[0].up == says[1].up == "auto":
        ups = _better(first.up, second.up)
        first, second = replace(first, up=ups[0]), replace(second, up=ups[1])
    sizes = [np.sqrt(face_areas(a.file.vertices, a.file.faces).sum()) for a in assets]
    if says[0].unit == says[1].unit == "auto" and 1 / ALIKE < sizes[0] / sizes[1] < ALIKE:
        units = _better(first.unit, second.unit)
        first, second = replace(first, unit=units[0]), replace(second, unit=units[1])
    return first, second


def _better(first: Answer, second: Answer) -> tuple[Answer, Answer]:
    """Return the more reliable answer twice, or each its own if both are sure."""
    if first.value == second.value or first.trust == second.trust == "sure":
        return first, second
    if TRUST.index(first.trust) >= TRUST.index(second.trust):
        return first, Answer(first.value, first.trust, "as the identity, which has the same faces")
    return Answer(second.value, second.trust, "as the pose mesh, which has the same faces"), second
