"""Add a motion to a binary glTF file: a morph target for each frame, and an animation that runs through them.

The meshes themselves stay as they are, with textures, skin weights and nodes. Existing morph targets are kept at their
weights in the file; existing animations are left out, because they would move the mesh a second time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from repose.errors import MeshError
from repose.mesh.formats.files import MAX_BYTES
from repose.mesh.formats.glb import Scene, is_surface, read_scene
from repose.mesh.formats.gltf import Float, Tree, item
from repose.mesh.formats.rewrite.glb import (
    Surface,
    Writer,
    bounds,
    gathered,
    shift,
    stored,
    surfaces_of,
    times,
    transposed,
    transposed_inverse,
)
from repose.mesh.formats.rewrite.normals import recomputed
from repose.mesh.formats.rewrite.splice import fitted
from repose.mesh.mesh import Mesh
from repose.mesh.operators import unit
from repose.reading import foreign

NUMBERS = 24  # bytes of a vertex in a frame: its displacement, and that of its normal


def animated(
    data: bytes,
    mesh: Mesh,
    frames: NDArray[np.floating],  # (T, V, 3)
    rate: float,
    where: object = None,
) -> bytes:
    """Return the content of a .glb file with a motion.

    Args:
        data: the present content.
        mesh: the mesh that `parse_glb` returns for it.
        frames: its vertices in each frame, in the coordinates of the scene.
        rate: frames per second.
        where: the file, for errors.

    Raises:
        MeshError: a part that moves is flat in the scene, or the result is larger than readers accept.
    """
    if (size := len(data) + NUMBERS * frames.shape[0] * frames.shape[1]) > MAX_BYTES:
        hint = "take fewer frames (--every), or write a folder or a .npz"
        raise MeshError(
            f"{len(frames)} frames are {size} bytes, more than the limit of {MAX_BYTES}", where, hint
        )
    scene = read_scene(data, where)
    hint = "give its parts scales that are not 0, and export it again"
    with foreign(where, "a motion does not fit in", hint, MeshError), np.errstate(all="ignore"):
        return _Morphs(scene).animated(mesh, frames, rate)


class _Morphs:
    """A scene whose surfaces get morph targets."""

    def __init__(self, scene: Scene):
        self.scene, self.surfaces, self.writer = scene, list(surfaces_of(scene)), Writer(scene.gltf)
        self.normals = gathered(
            scene, self.surfaces, "NORMAL", lambda part, n: unit(times(transposed_inverse(part), n))
        )
        self.added: dict[tuple[int, int], list[Tree]] = {}  # morph targets, by accessor and node

    def animated(self, mesh: Mesh, frames: NDArray[np.floating], rate: float) -> bytes:
        """Return the whole file; see `animated`."""
        for frame in frames.astype(np.float64):
            normals, _ = recomputed(mesh, frame, self.normals)
            made: dict[tuple[int, int], Tree] = {}
            for surface in self.surfaces:
                key = surface.part.node, surface.part.accessor
                if key not in made:
                    made[key] = self._target(surface, frame, normals)
                    self.added.setdefault(key, []).append(made[key])
        nodes = self._attach(len(frames))
        self.writer.tree["animations"] = [self._animation(nodes, len(frames), rate)]
        return self.writer.packed()

    def _target(self, surface: Surface, frame: Float, normals: Float) -> Tree:
        """Return the displacements of a part's vertices, and of its normals if it has any, from the file to a frame."""
        part, gltf = surface.part, self.scene.gltf
        here = gltf.values(part.accessor).astype(np.float64)
        ways = part.local(frame[part.vertices], np.ones(part.count, bool)) - here
        found = {"POSITION": self._bounded(ways)}
        if "NORMAL" in surface.attributes:
            old = stored(gltf, surface, "NORMAL") + shift(gltf, surface, "NORMAL")
            new = unit(times(transposed(part), normals[part.vertices]))
            found["NORMAL"] = self._bounded(np.where((new != 0).any(axis=1, keepdims=True), new - old, 0))
        return found

    def _bounded(self, rows: Float) -> int:
        numbers = fitted(rows)
        accessor = self.writer.append(numbers)
        self.writer.tree["accessors"][accessor] |= bounds(numbers)
        return accessor

    def _attach(self, count: int) -> dict[int, list[float]]:
        """Give all primitives of a moving mesh equally many targets; return the weights of existing ones by node."""
        found: dict[int, list[float]] = {}
        tree = self.writer.tree
        for surface in self.surfaces:
            primitive = self.writer.primitive(surface)
            node = tree["nodes"][surface.part.node]
            mesh = tree["meshes"][node["mesh"]]
            if surface.part.node not in found:
                had = len(mesh["primitives"][0].get("targets", []))
                before = [float(w) for w in node.get("weights", mesh.get("weights", [0.0] * had))]
                if len(before) != had or any(len(p.get("targets", [])) != had for p in mesh["primitives"]):
                    raise ValueError("its morph targets and their weights are not of one number")
                found[surface.part.node] = before
                node.pop("weights", None)
                mesh["weights"] = before + [0.0] * count
                _name_frames(mesh, count)
                for other in (p for p in mesh["primitives"] if not is_surface(p)):
                    other["targets"] = [*other.get("targets", []), *[self._still(other)] * count]
            added = self.added[surface.part.node, surface.part.accessor]
            # A target may only have attributes that its primitive has.
            named = [{k: v for k, v in target.items() if k in surface.attributes} for target in added]
            primitive["targets"] = [*primitive.get("targets", []), *named]
        return found

    def _still(self, primitive: Tree) -> Tree:
        """Return a target for points or lines, which do not move with the surface: zeros, which take no bytes."""
        accessors = self.writer.tree["accessors"]
        about = item(accessors, primitive["attributes"]["POSITION"])
        zeros = {
            "componentType": 5126,
            "count": about["count"],
            "type": "VEC3",
            "min": [0.0] * 3,
            "max": [0.0] * 3,
        }
        accessors.append(zeros)
        return {"POSITION": len(accessors) - 1}

    def _animation(self, nodes: dict[int, list[float]], count: int, rate: float) -> Tree:
        """Return an animation with one channel per node: the weight of each frame's target rises to 1 and falls."""
        seconds = np.arange(count, dtype=np.float32)[:, None] / np.float32(rate)
        clock = self.writer.append(seconds, None)
        self.writer.tree["accessors"][clock] |= bounds(seconds)
        channels, samplers = [], []
        outputs: dict[tuple[float, ...], int] = {}
        for node, before in nodes.items():
            if tuple(before) not in outputs:
                rows = np.concatenate([np.tile(before, (count, 1)), np.eye(count)], axis=1)
                output = self.writer.append(rows.reshape(-1, 1).astype(np.float32), None)
                samplers.append({"input": clock, "output": output, "interpolation": "LINEAR"})
                outputs[tuple(before)] = len(samplers) - 1
            channels.append({"sampler": outputs[tuple(before)], "target": {"node": node, "path": "weights"}})
        return {"name": "motion", "channels": channels, "samplers": samplers}


def _name_frames(mesh: Tree, count: int) -> None:
    """Continue the names of a mesh's targets, which viewers read from its extras if there is one for each target."""
    extras = mesh.get("extras")
    if isinstance(extras, dict) and isinstance(extras.get("targetNames"), list):
        names = [*extras["targetNames"], *(f"frame {number}" for number in range(count))]
        mesh["extras"] = {**extras, "targetNames": names}
