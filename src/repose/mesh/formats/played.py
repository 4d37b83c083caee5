"""Play an animated binary glTF file frame by frame: moving nodes, skins, and morph targets.

Names follow the glTF 2.0 specification (Khronos, 2021), section 3.11 and appendix C.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from repose.errors import MeshError
from repose.mesh.formats.glb import placed_vertices
from repose.mesh.formats.gltf import Float, Gltf, Tree, item
from repose.reading import foreign

PATHS = {"translation": 3, "rotation": 4, "scale": 3}
MAX_FRAMES = 10_000
_ROUNDING = 1e-3  # of a frame; times are float32
HINT = "export it again as one .glb whose animation moves nodes, joints or morph targets"


def played(data: bytes, path: Path, rate: float) -> Iterator[NDArray[np.float64]]:
    """Yield the vertices (N, 3) of the scene at each frame of its first animation, in the order of `parse_glb`.

    Raises:
        MeshError: the file has no animation, or its animation is damaged or endless.
    """
    with foreign(path, "its animation is damaged", HINT, MeshError):
        gltf = Gltf(data)
        animations = gltf.tree.get("animations", [])
        if not animations:
            raise MeshError("has no animation", path, HINT)
        tracks = list(_tracks(gltf, animations[0]))
        first, last = min(t.times[0] for t in tracks), max(t.times[-1] for t in tracks)
        count = int(np.floor((last - first) * rate + _ROUNDING)) + 1
        if not 1 <= count <= MAX_FRAMES:
            raise MeshError(f"an animation of {count} frames, more than the limit of {MAX_FRAMES}", path)
        for frame in range(count):
            _pose(gltf, tracks, first + frame / rate)
            yield placed_vertices(gltf)


class _Track:
    """One channel of an animation: a property of a node over time."""

    def __init__(self, node: int, path: str, times: Float, values: Float, interpolation: str):
        self.node, self.path, self.times, self.how = node, path, times, interpolation
        # (T, C); for a spline (T, 3, C): in-tangent, value, out-tangent
        self.values = values.reshape(
            (len(times), 3, -1) if interpolation == "CUBICSPLINE" else (len(times), -1)
        )
        if not len(times) or not np.isfinite(times).all() or (np.diff(times) < 0).any():
            raise ValueError("times that do not go on")
        if self.path in PATHS and self.values.shape[-1] != PATHS[self.path]:
            raise ValueError(f"a {self.path} of {self.values.shape[-1]} numbers")

    def at(self, time: float) -> Float:  # (C,)
        """Return the value at a time; before the first and after the last key it is constant."""
        k = int(np.clip(np.searchsorted(self.times, time, "right") - 1, 0, max(len(self.times) - 2, 0)))
        span = self.times[k + 1] - self.times[k] if len(self.times) > 1 else 0.0
        share = (
            float(np.clip((time - self.times[k]) / span, 0, 1)) if span > 0 else float(time >= self.times[-1])
        )
        after = min(k + 1, len(self.times) - 1)
        if self.how == "CUBICSPLINE":
            return self._spline(k, after, share, span)
        if self.how == "STEP":
            share = float(share >= 1)
        if self.path == "rotation":
            start, end = (Rotation.from_quat(self.values[n]) for n in (k, after))
            turned: Float = (Rotation.from_rotvec(share * (end * start.inv()).as_rotvec()) * start).as_quat()
            return turned
        found: Float = (1 - share) * self.values[k] + share * self.values[after]
        return found

    def _spline(self, k: int, after: int, s: float, span: float) -> Float:
        """Return the cubic with given values and tangents at both ends."""
        start, end = self.values[k], self.values[after]
        found: Float = (
            (2 * s**3 - 3 * s**2 + 1) * start[1]
            + span * (s**3 - 2 * s**2 + s) * start[2]
            + (3 * s**2 - 2 * s**3) * end[1]
            + span * (s**3 - s**2) * end[0]
        )
        return found / np.linalg.norm(found) if self.path == "rotation" else found


def _tracks(gltf: Gltf, animation: Tree) -> Iterator[_Track]:
    for channel in animation["channels"]:
        target, sampler = channel["target"], item(animation["samplers"], channel["sampler"])
        if "node" not in target or target["path"] not in {*PATHS, "weights"}:
            continue  # channels of extensions move no vertices
        times = gltf.values(sampler["input"])[:, 0].astype(np.float64)
        values = gltf.values(sampler["output"]).astype(np.float64)
        node = item(gltf.tree["nodes"], target["node"])
        found = _Track(target["node"], target["path"], times, values, sampler.get("interpolation", "LINEAR"))
        if found.path == "weights":
            for primitive in item(gltf.tree["meshes"], node["mesh"])["primitives"]:
                if (count := len(primitive.get("targets", []))) != found.values.shape[-1]:
                    raise ValueError(f"{found.values.shape[-1]} weights for {count} morph targets")
        yield found


def _pose(gltf: Gltf, tracks: list[_Track], time: float) -> None:
    """Give the nodes of a file what they have at a time."""
    for track in tracks:
        node = gltf.tree["nodes"][track.node]
        if track.path != "weights":
            node.pop("matrix", None)
        node[track.path] = track.at(time).tolist()
