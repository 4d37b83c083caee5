"""Read motions from files: a folder of meshes or scans, an animated .glb, a .npz of vertices, or a DFAUST sequence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from zipfile import is_zipfile

import numpy as np
from numpy.typing import NDArray

from repose.errors import MeshError
from repose.mesh.formats.asset import joined, read_asset
from repose.mesh.formats.io import PARSERS, SUFFIXES
from repose.mesh.formats.played import played
from repose.mesh.mesh import Mesh
from repose.progress import track
from repose.raw.dfaust import read_sequence
from repose.raw.model_file import read_arrays

MAX_BYTES = 2 << 30  # memory of all frames
DFAUST = (".hdf5", ".h5")
RATE, MAX_RATE = 30.0, 1000.0  # frames per second: the default if a file does not state it, and the limit


@dataclass(frozen=True)
class Motion:
    """A body at many times, with the same faces at each.

    Attributes:
        path: path that it was read from.
        frames: (T, V, 3) float32 vertices of its surface, in the file's axes and unit.
        faces: (F, 3).
        rate: frames per second.
        is_y_up: whether its format states that y is up.
    """

    path: Path
    frames: NDArray[np.float32]
    faces: NDArray[np.int32]
    rate: float
    is_y_up: bool

    def mesh(self, frame: int) -> Mesh:
        """Return the body in one frame."""
        return Mesh(self.frames[frame].astype(np.float64), self.faces)

    def __str__(self) -> str:
        count, vertices, _ = self.frames.shape
        return f"{self.path}: {count:,} frames, {self.rate:g} a second, of {vertices:,} vertices"


@dataclass(frozen=True)
class Scans:
    """A body at many times, with other triangles at each.

    Attributes:
        path: path that they were read from.
        meshes: the meshes, in the files' axes and unit.
        rate: frames per second.
        is_y_up: whether their format states that y is up.
    """

    path: Path
    meshes: list[Mesh]
    rate: float
    is_y_up: bool

    def mesh(self, frame: int) -> Mesh:
        """Return the body in one frame."""
        return self.meshes[frame]

    def __str__(self) -> str:
        counts = [len(mesh.vertices) for mesh in self.meshes]
        return (
            f"{self.path}: {len(counts):,} frames, {self.rate:g} a second, of {min(counts):,} to {max(counts):,} "
            "vertices: scans of other triangles"
        )


def read_motion(
    path: Path, rate: float | None = None, every: int = 1, sequence: str | None = None
) -> Motion | Scans:
    """Read a motion; all frames have the same faces, except in a folder of scans.

    Args:
        path: a folder with a mesh file for each frame, in the order of their names, with numbers ordered by value; a
            .glb, whose first animation is played; a .npz with `vertices` (T, N, 3), `faces` (F, 3) and optionally
            `rate`; or a .hdf5 of DFAUST.
        rate: frames per second; None: those that the file states, else 30.
        every: step between the frames that are taken: 1, 2, …
        sequence: name of a DFAUST sequence, such as 50002_hips.

    Raises:
        MeshError: the file is missing, damaged or too large.
        ReposeError: for the same reasons.
    """
    suffix, said = path.suffix.lower(), rate
    _check_rate(rate, path)
    if sequence is not None and suffix not in DFAUST:
        raise MeshError("has no sequences to choose from", path, "leave --sequence out")
    if path.is_dir():
        return _folder(path, (rate or RATE) / every, every)
    if suffix == ".glb":
        asset = read_asset(path)
        file = asset.file
        frames = _gathered(path, played(asset.data, path, rate or RATE), every)
    elif suffix == ".npz":
        file, frames, said = _arrays(path, rate, every)
    elif suffix in DFAUST:
        found, faces = read_sequence(path, sequence)
        frames, said = found[::every], rate or 60.0
        file = Mesh(frames[0], faces).validated(path)
    else:
        raise MeshError("is no motion", path, "give a folder of meshes, a .glb, a .npz, or a .hdf5 of DFAUST")
    if not np.isfinite(frames).all():
        raise MeshError("has places that are not finite", path)
    _check_rate(said, path)
    surface, scatter = joined(file)
    _, first = np.unique(scatter, return_index=True)
    chosen = np.ascontiguousarray(frames[:, first], np.float32)
    return Motion(path, chosen, surface.faces, (said or RATE) / every, suffix == ".glb")


def _check_rate(rate: float | None, path: Path) -> None:
    if rate is not None and not 0 < rate <= MAX_RATE:
        raise MeshError(f"{rate:g} frames a second", path, "say --fps")


def _folder(path: Path, rate: float, every: int) -> Motion | Scans:
    # Hidden files, such as the `._0001.obj` that macOS adds in archives, are no frames.
    there = (p for p in path.iterdir() if p.suffix.lower() in PARSERS and not p.name.startswith("."))
    files = sorted(there, key=_by_number)[::every]
    if not files:
        raise MeshError("has no mesh files", path, f"frames are {SUFFIXES} files")
    first = read_asset(files[0])
    meshes: list[Mesh] = []
    registered = True
    for asset in track(map(read_asset, files), len(files), "reading"):
        registered &= (alike := asset.has_faces_of(first))
        meshes.append(asset.as_joined_like(first).mesh if alike else asset.mesh)
        # halved, because they become float32
        _check_size(sum(mesh.vertices.nbytes for mesh in meshes) // 2, path)
    if not registered:
        return Scans(path, meshes, rate, first.is_y_up)
    frames = np.stack([mesh.vertices.astype(np.float32) for mesh in meshes])
    return Motion(path, frames, meshes[0].faces, rate, first.is_y_up)


def _by_number(path: Path) -> list[tuple[int, str]]:
    """Return a sort key that puts frame 10 after frame 9."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d{1,18})", path.name)]


def _gathered(path: Path, frames: Iterable[NDArray[np.floating]], every: int = 1) -> NDArray[np.float32]:
    found: list[NDArray[np.float32]] = []
    for number, frame in enumerate(frames):
        if number % every == 0:
            found.append(frame.astype(np.float32))
            _check_size(len(found) * found[0].nbytes, path)
    return np.stack(found)


def _check_size(size: int, path: Path) -> None:
    if size > MAX_BYTES:
        raise MeshError(f"its frames are more than {MAX_BYTES} bytes", path, "take fewer (--every)")


def _arrays(path: Path, rate: float | None, every: int) -> tuple[Mesh, NDArray[np.float32], float | None]:
    if path.is_file() and not is_zipfile(path):
        raise MeshError("is no .npz", path, "numpy.savez_compressed(path, vertices=…, faces=…) writes one")
    found = read_arrays(path, ["vertices", "faces"], ["rate"])
    vertices, faces = found["vertices"], found["faces"]
    if vertices.ndim != 3 or not len(vertices):
        raise MeshError(f"vertices are of shape {vertices.shape}, not (T, N, 3)", path)
    try:
        file = Mesh(vertices[0], faces).validated(path)
    except MeshError as error:
        raise MeshError(error.what, path, error.hint) from None
    if rate is None and "rate" in found:
        rate = float(found["rate"].reshape(-1)[0]) if found["rate"].size else None
    return file, vertices[::every].astype(np.float32), rate
