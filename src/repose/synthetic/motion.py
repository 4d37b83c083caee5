"""The common part of motions of all open bodies: paths through poses of the bank, feet that stay put, and files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

from repose.errors import ReposeError
from repose.provenance.publish import publish
from repose.reading import foreign, read_npz

Float = NDArray[np.float64]

RATE = 30.0  # frames per second
STOPS = 4  # poses of the bank on a path
_MOVING = ("repose.synthetic.open_human.motion", "repose.synthetic.open_animal.motion")


def through(bank: NDArray[np.floating], frames: int, seed: int, among: Sequence[int] | None) -> Float:
    """Return a path through poses of a bank, with each joint at a steady speed between two poses.

    Args:
        bank: (P, J, 3) rotation vectors.
        frames: number of poses of the path.
        seed: seed of the choice of poses.
        among: numbers of the poses to choose from; None: all.

    Returns:
        (frames, J, 3).
    """
    choice = np.arange(len(bank)) if among is None else np.asarray(among)
    stops = np.random.default_rng(seed).choice(choice, min(STOPS, len(choice)), replace=False)
    at = np.linspace(0, len(stops) - 1, frames)
    joints = bank[stops].astype(np.float64).swapaxes(0, 1)
    if len(stops) == 1:
        return np.broadcast_to(joints, (joints.shape[0], frames, 3)).swapaxes(0, 1)
    ways = [Slerp(np.arange(len(stops)), Rotation.from_rotvec(poses)) for poses in joints]
    return np.stack([way(at).as_rotvec() for way in ways], axis=1)


def stood(
    shapes: Iterable[NDArray[np.floating]], heights: Iterable[float], near: float
) -> NDArray[np.float32]:
    """Place the shapes (V, 3) of a moving body so that vertices standing on the floor, y = 0, stay in place.

    Args:
        shapes: metres, y up, at any position.
        heights: heights of the lowest point of each above the floor.
        near: vertices lower than this in two successive frames stand on it.

    Returns:
        (T, V, 3).
    """
    found: list[NDArray[np.float32]] = []
    for shape, height in zip(shapes, heights, strict=True):
        vertices = shape.astype(np.float32)
        vertices[:, 1] += height - vertices[:, 1].min()
        if found:
            stands = (found[-1][:, 1] < near) & (vertices[:, 1] < near)
            if stands.any():
                vertices[:, [0, 2]] -= (vertices - found[-1])[stands][:, [0, 2]].mean(axis=0)
        found.append(vertices)
    return np.stack(found)


def check_kind(kind: str, kinds: Sequence[str]) -> None:
    """Refuse an unknown kind of motion.

    Raises:
        ReposeError: the kind is unknown; the message names the known ones.
    """
    if kind not in kinds:
        raise ReposeError(f"no motion {kind!r}", hint=f"there are {', '.join(kinds)}")


def write_motion(recipe: Path, kind: str, out: Path, identity: int, frames: int, seed: int) -> None:
    """Write a motion of a body of a recipe as a .npz of vertices, faces and rate.

    Raises:
        ReposeError: the recipe has no bodies that move, or there is no such kind or body.
    """
    module = _module_for(recipe)
    read = module.Recipe.read(recipe)
    vertices = module.motion(read, kind, identity, frames, seed)
    with publish(out) as private, private.open("wb") as file:
        np.savez_compressed(file, vertices=vertices, faces=read.faces, rate=np.float64(RATE))
    print(f"{out}: {frames} frames at {RATE:g} a second of body {identity}, {vertices.shape[1]:,} vertices")


def _module_for(recipe: Path) -> Any:
    """Return the module that moves the bodies of a recipe, by the format that its file states."""
    modules = [import_module(name) for name in _MOVING]
    if recipe.exists():
        what, hint = "not a recipe, or torn", "delete it and make it again"
        arrays = read_npz(recipe, what, hint, names=["format"])
        with foreign(recipe, what, hint):
            stated = str(arrays["format"])
        modules = [module for module in modules if stated == module.Recipe.FORMAT] or modules
    return modules[0]
