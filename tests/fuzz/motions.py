"""Readers of motions: arrays of all frames (`motion`) and an animated glTF file (`motion-glb`)."""

import io
from pathlib import Path

import numpy as np
from fuzz.meshes import changed_glb
from fuzz.reader import Reader, by_path
from fuzz.stores import F, V
from gltf_files import Maker


def _read(path: Path) -> None:
    from repose.use.animate.motion import read_motion

    motion = read_motion(path)
    assert np.isfinite(motion.frames).all() and 0 < motion.rate <= 1000 and len(motion.frames)
    motion.mesh(len(motion.frames) - 1).validated(path)


def _arrays(folder: Path) -> list[bytes]:
    found = []
    for save in (np.savez, np.savez_compressed):
        out = io.BytesIO()
        save(out, vertices=np.stack([V, V + 1]), faces=F, rate=24.0)
        found.append(out.getvalue())
    return found


def _glbs(folder: Path) -> list[bytes]:
    """A body that is moved, turned and scaled by a node, and one that morphs."""
    moved, morphed = Maker(), Maker()
    for made in (moved, morphed):
        surface = {"attributes": {"POSITION": made.numbers(V)}, "indices": made.numbers(F.ravel(), "u2")}
        if made is morphed:
            surface["targets"] = [{"POSITION": made.numbers(V)}, {"POSITION": made.numbers(V[::-1])}]
        made.node(mesh=made.mesh(surface))
        made.tree["animations"] = [{"channels": [], "samplers": []}]
    turns = [[0, 0, 0, 1], [0, 0.6, 0, 0.8], [0, 1, 0, 0]]
    _channel(moved, "translation", np.arange(27.0).reshape(9, 3), "CUBICSPLINE")
    _channel(moved, "rotation", turns, "LINEAR")
    _channel(moved, "scale", np.ones((3, 3)), "STEP")
    _channel(morphed, "weights", [0, 1, 0.5, 0.5, 1, 0], "LINEAR")
    return [moved.packed(), morphed.packed()]


def _channel(made: Maker, path: str, values: object, how: str) -> None:
    (animation,) = made.tree["animations"]
    sampler = {"input": made.numbers([0, 0.25, 0.5]), "output": made.numbers(values), "interpolation": how}
    animation["channels"].append({"sampler": len(animation["samplers"]), "target": {"node": 0, "path": path}})
    animation["samplers"].append(sampler)


MOTIONS = (
    Reader("motion", _arrays, by_path("m.npz", _read)),
    Reader("motion-glb", _glbs, by_path("m.glb", _read), change=changed_glb),
)
