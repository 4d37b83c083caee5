"""Draw the appearance and clothes of people."""

import colorsys

import numpy as np

from repose.synthetic.rendered.recipe import Colour, Fabric, Outfit, Person

COLOURS: dict[str, Colour] = {
    "black": (0.07, 0.07, 0.08),
    "white": (0.93, 0.92, 0.90),
    "grey": (0.50, 0.51, 0.53),
    "navy": (0.10, 0.14, 0.30),
    "blue": (0.16, 0.34, 0.68),
    "light-blue": (0.58, 0.73, 0.87),
    "red": (0.74, 0.12, 0.14),
    "burgundy": (0.38, 0.08, 0.15),
    "green": (0.13, 0.43, 0.25),
    "olive": (0.36, 0.37, 0.20),
    "yellow": (0.90, 0.74, 0.22),
    "orange": (0.86, 0.42, 0.14),
    "pink": (0.90, 0.58, 0.66),
    "purple": (0.42, 0.22, 0.52),
    "beige": (0.79, 0.70, 0.57),
    "brown": (0.36, 0.23, 0.15),
}
TROUSER_COLOURS = ("black", "navy", "blue", "light-blue", "grey", "beige", "brown", "olive", "white")
PATTERNS = {
    "plain": 0.38, "stripes": 0.16, "bars": 0.08, "checks": 0.10, "dots": 0.08, "blocks": 0.10, "print": 0.10,
}  # fmt: skip
LOWER_PATTERNS = {"plain": 0.72, "denim": 0.16, "checks": 0.06, "bars": 0.06}
HAIR: dict[str, Colour] = {
    "black": (0.06, 0.05, 0.05),
    "brown": (0.24, 0.14, 0.08),
    "blond": (0.70, 0.54, 0.30),
    "red": (0.45, 0.17, 0.07),
    "grey": (0.55, 0.54, 0.53),
}
HAIR_LENGTHS = ("short", "medium", "long")
SKINS: tuple[Colour, ...] = (
    (0.95, 0.79, 0.69), (0.88, 0.68, 0.55), (0.76, 0.56, 0.42), (0.58, 0.40, 0.29), (0.40, 0.26, 0.19),
)  # fmt: skip


def draw_person(rng: np.random.Generator) -> Person:
    """Draw skin and hair."""
    light = rng.uniform(0, len(SKINS) - 1)
    low = int(light)
    skin = _mix(SKINS[low], SKINS[min(low + 1, len(SKINS) - 1)], light - low)
    name = str(rng.choice(list(HAIR), p=[0.32, 0.32, 0.18, 0.08, 0.10]))
    return Person(
        skin=skin,
        hair=_jitter(rng, HAIR[name], 0.12),
        hair_colour=name,
        hair_length=str(rng.choice(HAIR_LENGTHS)),
        lips=_mix(skin, (0.72, 0.22, 0.24), float(rng.uniform(0.3, 0.75))),
    )


def draw_outfit(rng: np.random.Generator) -> Outfit:
    """Draw clothes."""
    upper = str(rng.choice(["top", "jacket", "dress"], p=[0.6, 0.22, 0.18]))
    lower = (
        "skirt" if upper == "dress" else str(rng.choice(["trousers", "shorts", "skirt"], p=[0.62, 0.18, 0.2]))
    )
    top = _fabric(rng, tuple(COLOURS), PATTERNS)
    bottom = top if upper == "dress" else _bottom(rng, top.name)
    sleeves = {"jacket": (0.88, 0.96), "long": (0.85, 0.96), "elbow": (0.45, 0.65), "short": (0.2, 0.36)}
    kind = (
        "jacket"
        if upper == "jacket"
        else str(rng.choice(["none", "short", "elbow", "long"], p=[0.15, 0.4, 0.1, 0.35]))
    )
    lengths = {"trousers": (0.86, 1.0), "shorts": (0.2, 0.42), "skirt": (0.3, 0.78)}
    inner = _fabric(rng, tuple(COLOURS), {"plain": 0.7, "stripes": 0.3})
    return Outfit(
        upper=upper,
        lower=lower,
        sleeve=float(rng.uniform(*sleeves[kind])) if kind in sleeves else 0.0,
        hem=float(rng.uniform(-0.12, 0.14)) if upper != "jacket" else float(rng.uniform(-0.14, -0.04)),
        length=float(rng.uniform(*lengths[lower])),
        neckline=str(rng.choice(["round", "v", "high"], p=[0.5, 0.3, 0.2])),
        loose=float(rng.uniform(0.15, 1)),
        flare=float(rng.uniform(0, 1)),
        folds=float(rng.uniform(0.3, 1)),
        top=top,
        inner=inner,
        bottom=bottom,
        shoes=_jitter(
            rng, COLOURS[str(rng.choice(["black", "white", "brown", "grey", "red", "beige"]))], 0.1
        ),
        boots=float(rng.choice([0.0, rng.uniform(0.08, 0.35)], p=[0.75, 0.25])),
    )


def _bottom(rng: np.random.Generator, top: str) -> Fabric:
    while True:
        fabric = _fabric(rng, TROUSER_COLOURS, LOWER_PATTERNS)
        if fabric.name != top:
            return fabric


def _fabric(rng: np.random.Generator, names: tuple[str, ...], patterns: dict[str, float]) -> Fabric:
    name, other = rng.choice(names, 2, replace=False)
    shares = np.array(list(patterns.values()))
    pattern = str(rng.choice(list(patterns), p=shares / shares.sum()))
    if pattern == "denim":
        name, other = str(rng.choice(["navy", "blue", "light-blue", "black"])), "white"
    second = COLOURS[str(other)]
    main = COLOURS[str(name)]
    if sum(abs(a - b) for a, b in zip(main, second, strict=True)) < 0.7:  # the pattern must be visible
        second = COLOURS["white"] if sum(main) < 1.8 else COLOURS["navy"]
    return Fabric(
        name=str(name),
        pattern=pattern,
        main=_jitter(rng, main, 0.1),
        second=_jitter(rng, second, 0.1),
        period=float(rng.uniform(0.035, 0.11)),
        shift=float(rng.uniform()),
    )


def _jitter(rng: np.random.Generator, colour: Colour, amount: float) -> Colour:
    hue, saturation, value = colorsys.rgb_to_hsv(*colour)
    hue = (hue + rng.normal(0, 0.012)) % 1
    saturation = float(np.clip(saturation * (1 + rng.normal(0, amount)), 0, 1))
    value = float(np.clip(value * (1 + rng.normal(0, amount)), 0.03, 0.97))
    return colorsys.hsv_to_rgb(hue, saturation, value)


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    return tuple(float(a + (b - a) * share) for a, b in zip(one, other, strict=True))  # type: ignore[return-value]
