"""Colours of materials at places of the surface: patterns of cloth, faces, hair, soles."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from repose.synthetic.rendered.figure import Figure
from repose.synthetic.rendered.garments import BOTTOM, HAIRS, INNER, SHOES, SKIN, SOLES, TOP, Places
from repose.synthetic.rendered.recipe import Fabric, Outfit, Person

_CELLS, _PER_UNIT = 64, 16  # the first is a power of two


def colours(
    body: Figure, person: Person, outfit: Outfit, places: Places, material: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Return RGB (N, 3) from 0 to 1, before lighting."""
    out = np.empty((len(material), 3), np.float32)
    sleeve = np.where(places.arm > 0.5, places.along, -1)
    painted = {
        SKIN: lambda at, where: _skin(body, person, at),
        TOP: lambda at, where: _cloth(body, outfit.top, at, sleeve[where]),
        INNER: lambda at, where: _cloth(body, outfit.inner, at, sleeve[where]),
        BOTTOM: lambda at, where: _cloth(body, outfit.bottom, at, sleeve[where]),
        SHOES: lambda at, where: np.asarray(outfit.shoes),
        SOLES: lambda at, where: np.asarray(outfit.shoes) * 0.3 + 0.35,
        HAIRS: lambda at, where: _hair(person, at),
    }
    for number, paint in painted.items():
        where = material == number
        if where.any():
            out[where] = paint(places.at[where], where)
    return out


def _cloth(body: Figure, fabric: Fabric, at: NDArray, sleeve: NDArray) -> NDArray:
    """Return a pattern in metres on the body at rest; on sleeves, where `sleeve` is not -1, it runs along them."""
    x, y, z = at.T
    main, second = np.asarray(fabric.main, np.float32), np.asarray(fabric.second, np.float32)
    step, shift = fabric.period, fabric.shift
    # Unrolled around the body, so that stripes and squares keep their width at the sides.
    round_ = np.arctan2(x, z + 0.02) * 0.14
    on_sleeve = sleeve > -1
    high = np.where(on_sleeve, sleeve * 0.6, y) / step + shift
    wide = np.where(on_sleeve, (z + 0.5 * x), round_) / step + shift
    match fabric.pattern:
        case "stripes":
            share = (high % 1 < 0.45).astype(np.float32)
        case "bars":
            share = ((wide * 1.6) % 1 < 0.3).astype(np.float32)
        case "checks":
            share = 0.5 * (high % 1 < 0.4) + 0.5 * (wide % 1 < 0.4)
        case "dots":
            row = np.floor(high)
            u, v = (wide + 0.5 * (row % 2)) % 1 - 0.5, high % 1 - 0.5
            share = (u * u + v * v < 0.07).astype(np.float32)
        case "blocks":
            edge = body.height(y) + 0.04 * np.sin(12 * round_)
            share = (edge > 0.35 + 0.35 * shift).astype(np.float32)
        case "print":
            u, v = x / (0.055 + 0.04 * shift), (y - body.neck[1] + 0.2) / (0.045 + 0.5 * step)
            share = ((z > 0) & (np.maximum(np.abs(u), np.abs(v)) < 1)).astype(np.float32)
            share *= 1 - ((u * u + v * v < 0.6) & (np.sin(5 * u + 9 * shift) * np.cos(4 * v) > 0))
        case "denim":
            share = 0.12 + 0.2 * noise(at, 3)
        case _:
            share = np.zeros(len(at), np.float32)
    return main + (second - main) * np.asarray(share, np.float32)[:, None]


def _skin(body: Figure, person: Person, at: NDArray) -> NDArray:
    skin = np.asarray(person.skin, np.float32)
    out = np.repeat(skin[None], len(at), axis=0)
    out *= 1 + 0.05 * noise(at, 8)[:, None]
    near = np.flatnonzero((at[:, 1] > body.eyes[1] - 0.1) & (at[:, 2] > body.eyes[2] - 0.06))
    if len(near):
        out[near] = _face(body, person, at[near] - body.eyes, out[near])
    return out


def _face(body: Figure, person: Person, at: NDArray, out: NDArray) -> NDArray:
    """Paint eyes, brows, lips and cheeks; `at` is relative to the middle between the eyes."""
    x, y, _ = at.T
    apart = abs(body.joint["eye.L"][0])
    side = (np.abs(x) - apart) / 0.016
    eye = side**2 + (y / 0.0075) ** 2
    hair = np.asarray(person.hair, np.float32)
    cheeks = np.exp(-(((np.abs(x) - 0.036) / 0.02) ** 2) - ((y + 0.04) / 0.018) ** 2)
    out = out + cheeks[:, None] * np.array([0.05, -0.03, -0.02], np.float32)
    out[(side**2 + ((y - 0.003) / 0.011) ** 2 < 1.2) & (y > 0)] *= 0.8  # lid
    out[eye < 1] = (0.93, 0.92, 0.9)
    out[(np.abs(x) - apart) ** 2 + y**2 < 0.0066**2] = (0.12, 0.08, 0.06)
    brow = y - 0.022 + 0.2 * np.abs(np.abs(x) - apart + 0.006)
    out[(np.abs(brow) < 0.0042) & (np.abs(np.abs(x) - apart) < 0.021)] = hair * 0.6 + 0.03
    mouth = (x / 0.024) ** 2 + ((y + 0.072) / 0.0085) ** 2 < 1
    out[mouth] = person.lips
    out[mouth & (np.abs(y + 0.072) < 0.0015)] *= 0.6
    return out


def _hair(person: Person, at: NDArray) -> NDArray:
    strands = noise(at, 60, 6, 60) + 0.6 * noise(at, 24, 3, 24)
    return np.asarray(person.hair, np.float32) * (1 + 0.35 * strands)[:, None]


def folds(at: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
    """Return the tilt of cloth as vectors (N, 3) that are added to normals."""
    return _field()[1].take(_cell(at, (5.0, 2.2, 5.0)), axis=0) * np.float32(strength)


def noise(at: NDArray[np.float32], *scale: float) -> NDArray[np.float32]:
    """Return smooth random numbers (N,) of mean 0 and deviation 1, as a function of `at` times `scale`."""
    return _field()[0].take(_cell(at, scale))


def _cell(at: NDArray[np.float32], scale: tuple[float, ...]) -> NDArray[np.int32]:
    """Return the numbers (N,) of the cells of the periodic field."""
    steps = np.array(scale, np.float32) * np.float32(_PER_UNIT)
    i, j, k = ((at * steps).astype(np.int32) & (_CELLS - 1)).T
    return (i * _CELLS + j) * _CELLS + k


@cache
def _field() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a periodic block of noise (cells,), and its differences (cells, 3), which are the same in every run."""
    raw = np.random.default_rng(7).normal(size=(_CELLS,) * 3)
    smooth = gaussian_filter(raw, 0.4 * _PER_UNIT, mode="wrap")
    smooth = (smooth / smooth.std()).astype(np.float32)
    steps = np.stack([np.roll(smooth, -1, d) - np.roll(smooth, 1, d) for d in range(3)], axis=-1)
    return smooth.ravel(), steps.reshape(-1, 3) * np.float32(0.2 * _PER_UNIT)
