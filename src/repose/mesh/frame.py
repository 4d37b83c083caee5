"""The up axis and the unit of a body's mesh: an explained guess, or the user's statement.

Networks expect bodies with y up, facing +z, in metres. Files use other frames, and do not state them. The rules, for
bodies of people (docs/use.md has their measured error rates), are:

* Up is y or z. If the mesh stands on the plane 0 of exactly one of them (its least value is within 1 % of the longest
  side), that axis is up. Otherwise it is the axis along which the mesh is longer, if it is longer by a quarter: people
  are taller than deep. Otherwise it is y. The last two are guesses: a lying body that is not on the ground looks like
  one that stands in the other frame, and a four-legged animal is longer than tall. Give `--up` for those.
* The unit is the one of metres, centimetres and millimetres that puts the longest side between 0.3 and 3 m.
* The direction that the body faces is not looked for.
* A model that takes bodies in any orientation is asked for the up axis if a mesh is not on the ground, and does not
  depend on the unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from repose.errors import MeshError

# Rotations (rows: new x, y, z) that bring each axis up. z up as in Blender and most scanners: -y is ahead.
UPRIGHT = {
    "y": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "z": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "x": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    "-y": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    "-z": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "-x": ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
}
UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048}
SMALLEST_UNIT = 1e-12  # metres; beyond it, or beyond its inverse, areas would be 0 or infinite

GROUND = 0.01  # share of the longest side: a mesh whose lowest point is this near to 0 stands on the ground
TALLER = 1.25  # of 527 posed bodies of open-human, 99 % are taller than deep by a larger factor
LYING = 1.5  # a body longer along x than along y and z by this factor is not upright
BODY = (0.3, 3.0)  # metres, the range of the longest side
ADULT = (1.0, 2.3)
# degrees from an axis: so near, the model's answer is right for 35 of 36 validation animals, and all people
NEAR = 25.0

UpFinder = Callable[[], np.ndarray]  # returns a direction (3,) of unit length


@dataclass(frozen=True)
class Answer:
    """An answer and how reliable it is.

    Attributes:
        value: an axis, or a unit.
        trust: "given", "sure", "likely" or "a guess".
        why: the reason, in words.
    """

    value: str
    trust: str
    why: str

    def __str__(self) -> str:
        return f"{self.value} ({self.trust}: {self.why})"


@dataclass(frozen=True)
class Frame:
    """Up axis and unit of a mesh."""

    up: Answer
    unit: Answer

    @property
    def metres(self) -> float:
        """The length of one unit in metres."""
        return metres_per(self.unit.value)

    def upright(self, vertices: np.ndarray) -> np.ndarray:
        """Return the vertices (V, 3) with y up, in metres."""
        return vertices @ np.array(UPRIGHT[self.up.value], float).T * self.metres

    def restored(self, upright: np.ndarray) -> np.ndarray:
        """Return the vertices (V, 3) in the mesh's own axes and unit."""
        return upright @ np.array(UPRIGHT[self.up.value], float) / self.metres


def find_frame(
    vertices: np.ndarray,
    up: str = "auto",
    unit: str = "auto",
    y_up: bool = False,
    where: object = None,
    find_up_axis: UpFinder | None = None,
) -> Frame:
    """Find up axis and unit by the rules above.

    Args:
        vertices: (V, 3), vertices that faces use.
        up: an axis of `UPRIGHT`, or "auto".
        unit: a name in `UNITS`, a number of metres per unit, or "auto".
        y_up: whether the file's format states that y is up, as glTF does.
        where: the file, for errors.
        find_up_axis: function that asks a model, which takes bodies of any size and orientation, for the body's up
            direction. It is called if the mesh does not stand on the ground.

    Raises:
        MeshError: the mesh has no extent, a given axis or unit is unknown, or the unit cannot be guessed.
    """
    if up != "auto" and up not in UPRIGHT:
        raise MeshError(f"up axis {up!r} is none of {', '.join(UPRIGHT)}, auto", where)
    sides = np.ptp(vertices, axis=0)
    if not sides.max() > 0:
        raise MeshError("all its vertices are at one place", where, "is it a body?")
    if up != "auto":
        axis = Answer(up, "given", "--up")
    elif y_up:
        axis = Answer("y", "sure", "glTF is y up")
    else:
        axis = find_up(sides, vertices.min(axis=0), find_up_axis)
    if unit == "auto":
        return Frame(axis, find_unit(float(sides.max()), where, size_free=find_up_axis is not None))
    if not SMALLEST_UNIT <= metres_per(unit) <= 1 / SMALLEST_UNIT:
        raise MeshError(
            f"unit {unit!r} is none of {', '.join(UNITS)}, auto, or a number of metres per unit", where
        )
    return Frame(axis, Answer(unit, "given", "--unit"))


def find_up(sides: np.ndarray, lowest: np.ndarray, find_up_axis: UpFinder | None = None) -> Answer:
    """Find the up axis from the sides (3,) and least coordinates (3,) of the bounding box, or else by a model."""
    longest = sides.max()
    grounded = [axis for axis, k in (("y", 1), ("z", 2)) if abs(lowest[k]) <= GROUND * longest]
    longer, shorter = ("y", "z") if sides[1] >= sides[2] else ("z", "y")
    ratio = max(sides[1:]) / max(min(sides[1:]), 1e-9 * longest)
    lying = sides[0] >= LYING * max(sides[1], sides[2])
    if len(grounded) == 1:
        axis = grounded[0]
        if axis == longer and not lying:
            return Answer(axis, "sure", f"it stands on {axis} = 0 and is longer that way")
        return Answer(
            axis, "likely", f"it is on {axis} = 0, though longer another way: lying, or four-legged?"
        )
    if find_up_axis:
        return _seen_up(find_up_axis())
    if ratio >= TALLER and not lying:
        why = f"it is {ratio:.1f} times as long along {longer} as along {shorter}"
        # This is right for 99 in 100 people and for few animals, and nothing here distinguishes the two.
        return Answer(
            longer, "a guess", f"{why}; one that lies would look the same, and animals are longer than tall"
        )
    return Answer("y", "a guess", "its sides do not tell y up from z up")


def _seen_up(direction: np.ndarray) -> Answer:
    """Return the axis that is nearest to a direction (3,) of unit length."""
    k = int(np.abs(direction).argmax())
    away = float(np.degrees(np.arccos(min(1.0, abs(direction[k])))))
    axis = ("-" if direction[k] < 0 else "") + "xyz"[k]
    if away > NEAR:
        return Answer("y", "a guess", "the model sees no axis that is up for the body")
    return Answer(axis, "likely", f"the model sees the body's up {away:.0f} degrees from it")


def find_unit(longest: float, where: object = None, size_free: bool = False) -> Answer:
    """Find the unit from the longest side of the bounding box.

    Raises:
        MeshError: no unit gives it the size of a body, and the size matters.
    """
    for unit in ("m", "cm", "mm"):
        size = longest * UNITS[unit]
        if BODY[0] <= size < BODY[1]:
            trust = "sure" if ADULT[0] <= size <= ADULT[1] else "likely"
            return Answer(unit, trust, f"its longest side is then {size:.2f} m")
    if size_free:
        return Answer("m", "a guess", "its size is no body's in m, cm or mm, which the model does not mind")
    raise MeshError(
        f"its longest side is {longest:.4g}, which makes no body in m, cm or mm",
        where,
        "say --unit in, ft, or a number of metres per unit",
    )


def metres_per(unit: str) -> float:
    """Return the metres of a named or numeric unit; NaN for any other text."""
    try:
        return UNITS.get(unit) or float(unit)
    except ValueError:
        return float("nan")
