"""Skirts and long hair: open surfaces around a figure at rest, moved by its bones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from repose.synthetic.rendered.figure import Figure
from repose.synthetic.rendered.recipe import Outfit, Person

SKIRT, HAIR = 1, 2
ROWS, AROUND = 14, 48
GAP = 0.012  # metres between a skirt and the body, below the waist


@dataclass(frozen=True, eq=False)
class Shell:
    """An open surface of `ROWS` rows, whose topology does not depend on the wearer.

    Attributes:
        kind: `SKIRT` or `HAIR`.
        rest: (V, 3).
        triangles: (F, 3).
        weights: weights (V,) of each bone, by name.
        parts: (V, 6) weights of the labels 1 to 6.
    """

    kind: int
    rest: NDArray[np.float64]
    triangles: NDArray[np.int64]
    weights: dict[str, NDArray[np.float64]]
    parts: NDArray[np.float64]

    def skin(self, names: list[str], columns: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return bones and weights (V, columns)."""
        bones = np.zeros((len(self.rest), columns), np.int64)
        weights = np.zeros((len(self.rest), columns))
        for column, (name, share) in enumerate(self.weights.items()):
            bones[:, column], weights[:, column] = names.index(name), share
        return bones, weights


def skirt_shell(body: Figure, clothed: NDArray, outfit: Outfit, waist: float) -> Shell:
    """Return a skirt from the waist to the outfit's length, as wide as the hips and wider below."""
    top = body.hip + waist * body.trunk
    end = body.hip - max(outfit.length, 0.1) * (body.hip - body.ankle)
    level = np.linspace(top, end, ROWS)
    trunk = clothed[body.arm < 0.2]
    across, depth, middle = (np.empty(ROWS) for _ in range(3))
    for row, y in enumerate(level):
        slab = trunk[np.abs(trunk[:, 1] - y) < 0.03]
        gap = GAP * min(1.0, 0.25 + 0.25 * row)
        across[row] = np.abs(slab[:, 0]).max() + gap
        middle[row] = (slab[:, 2].max() + slab[:, 2].min()) / 2
        depth[row] = (slab[:, 2].max() - slab[:, 2].min()) / 2 + gap
    hips = level < body.hip + 0.12 * body.trunk
    wider = np.clip(body.hip - level, 0, None) * (0.05 + 0.35 * outfit.flare)
    across = np.where(hips, np.maximum.accumulate(across), across) + wider
    depth = np.where(hips, np.maximum.accumulate(depth), depth) + wider
    middle = np.where(hips, middle[hips][0], middle)
    angle = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
    waves = 1 + 0.5 * outfit.flare * np.outer(wider, np.cos(10 * angle))
    rest = _rings(level, middle, across[:, None] * waves, depth[:, None] * waves, angle)
    down = body.down(rest[:, 1])
    carried, knee = _smooth(down, -0.15, 0.2), _smooth(down, 0.46, 0.62) * 0.75
    left = _smooth(rest[:, 0], -0.09, 0.09)
    weights = {"root": 1 - carried}
    for side, share in (("L", left), ("R", 1 - left)):
        weights[f"upperleg01.{side}"] = carried * share * (1 - knee)
        weights[f"lowerleg01.{side}"] = carried * share * knee
    label = np.zeros((len(rest), 6))
    label[:, 1], label[:, 4], label[:, 5] = 1 - carried, carried * left, carried * (1 - left)
    return Shell(SKIRT, rest, _grid(ROWS, AROUND, closed=True), weights, label)


def hair_shell(body: Figure, clothed: NDArray, person: Person) -> Shell:
    """Return hair that hangs from the sides and the back of the head."""
    eyes = body.eyes
    end = body.neck[1] + {"short": 0.03, "medium": 0.01, "long": -0.2}[person.hair_length]
    level = np.linspace(eyes[1] + 0.03, end, ROWS)
    skull = clothed[(body.head > 0.9) & (np.abs(clothed[:, 1] - eyes[1]) < 0.05)]
    half = np.abs(skull[:, 0]).max()
    middle = (skull[:, 2].max() + skull[:, 2].min()) / 2 - 0.02
    depth = middle - skull[:, 2].min()
    trunk = clothed[(body.arm < 0.5) & (np.abs(clothed[:, 0]) < 0.12)]
    back = np.array([trunk[np.abs(trunk[:, 1] - y) < 0.03][:, 2].min(initial=middle - depth) for y in level])
    back = np.minimum.accumulate(back) - 0.012
    fall = np.linspace(0, 1, ROWS)
    # From in front of the right ear, around the back, to the left.
    angle = np.radians(np.linspace(-205, 25, AROUND))
    across = half + 0.006 + 0.012 * np.sin(np.pi * fall)
    rest = _rings(level, np.full(ROWS, middle), across[:, None], (middle - back)[:, None], angle)
    low = _smooth(-rest[:, 1], -body.neck[1] - 0.06, -body.neck[1] + 0.06)
    weights = {"head": 1 - low, "spine01": low * 0.7, "neck01": low * 0.3}
    label = np.zeros((len(rest), 6))
    label[:, 0] = 1
    return Shell(HAIR, rest, _grid(ROWS, AROUND, closed=False), weights, label)


def _rings(level: NDArray, middle: NDArray, across: NDArray, depth: NDArray, angle: NDArray) -> NDArray:
    x, z = across * np.cos(angle), middle[:, None] + depth * np.sin(angle)
    y = np.broadcast_to(level[:, None], (len(level), len(angle)))
    return np.stack(np.broadcast_arrays(x, y, z), axis=-1).reshape(-1, 3)


def _grid(rows: int, around: int, closed: bool) -> NDArray[np.int64]:
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(around if closed else around - 1), indexing="ij")
    beside = (column + 1) % around
    a, b = row * around + column, row * around + beside
    c, d = a + around, b + around
    return np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)])


def _smooth(value: NDArray, low: float, high: float) -> NDArray:
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
