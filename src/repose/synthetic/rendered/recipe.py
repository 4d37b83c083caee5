"""The recipe of a set of rendered images, in one small file: bodies, poses, people, outfits and shots."""

import json
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from repose.synthetic.open_human.recipe import Recipe

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Person:
    """The properties of a person in all outfits: skin and hair."""

    skin: Colour
    hair: Colour
    hair_colour: str
    hair_length: str
    lips: Colour


@dataclass(frozen=True)
class Fabric:
    """Colours and pattern of a garment; sizes in metres.

    Attributes:
        name: name of the main colour.
        pattern: one of `wardrobe.PATTERNS`.
        main, second: RGB from 0 to 1.
        period: distance from one stripe, square or dot to the next.
        shift: offset of the pattern, in periods.
    """

    name: str
    pattern: str
    main: Colour
    second: Colour
    period: float
    shift: float


@dataclass(frozen=True)
class Outfit:
    """The clothes of one person in a group of images.

    Attributes:
        upper: top, jacket (open, over a top) or dress.
        lower: trousers, shorts or skirt; a dress has the skirt of its own fabric.
        sleeve: end of the sleeve along the arm: 0 shoulder, 0.5 elbow, 1 wrist.
        hem: height of the top's lower edge above the hips, in lengths of the trunk.
        length: end of trousers or skirt along the leg: 0 hip, 1 ankle.
        neckline: round, v or high.
        loose: looseness of the cloth, from 0 to 1.
        flare: flare of a skirt or of trousers, from 0 to 1.
        folds: strength of folds, from 0 to 1.
    """

    upper: str
    lower: str
    sleeve: float
    hem: float
    length: float
    neckline: str
    loose: float
    flare: float
    folds: float
    top: Fabric
    inner: Fabric
    bottom: Fabric
    shoes: Colour
    boots: float

    @property
    def skirt(self) -> bool:
        """Whether cloth hangs between the legs."""
        return self.lower == "skirt"

    def labels(self) -> dict[str, str]:
        """The known attributes, as columns of the catalogue."""
        return {
            "upper": self.upper,
            "lower": self.lower,
            "sleeve": _step(self.sleeve, {0.02: "none", 0.4: "short", 0.75: "elbow"}, "long"),
            "lower_length": _step(self.length, {0.34: "short", 0.62: "knee", 0.85: "calf"}, "full"),
            "neckline": self.neckline,
            "upper_pattern": self.top.pattern,
            "upper_colour": self.top.name,
            "lower_pattern": self.bottom.pattern,
            "lower_colour": self.bottom.name,
        }


@dataclass(frozen=True)
class Shot:
    """One image: person, clothes, pose, camera, light and place.

    Angles are in degrees; `yaw` 0 is the front, 90 the left side of the body.
    """

    identity: int
    outfit: int
    number: int
    pose: int
    camera: int
    yaw: float
    pitch: float
    framing: str
    fill: float
    shift: tuple[float, float]
    light: tuple[float, float]
    ambient: float
    tint: Colour
    place: int

    @property
    def image_id(self) -> str:
        """The name `id{identity}_{outfit}_{number}`."""
        return f"id{self.identity}_{self.outfit}_{self.number}"


@dataclass(frozen=True)
class ImageRecipe(Recipe):
    """Bodies and poses as in `Recipe`, and the drawn properties of the images, as JSON texts.

    Attributes:
        people: (I,) text, `Person` of each identity.
        outfits: (I · O,) text, `Outfit`s of each identity in turn.
        shots: (N,) text, `Shot`s.
        frame: (4,) int64, height and width in pixels, samples per side of a pixel, seed.
        background: () text, `studio` or `street`.
    """

    FORMAT: ClassVar[str] = "repose-images-1"
    people: np.ndarray
    outfits: np.ndarray
    shots: np.ndarray
    frame: np.ndarray
    background: np.ndarray

    @cached_property
    def drawn_people(self) -> list[Person]:
        """Return the parsed people."""
        return [Person(**_values(text)) for text in self.people]

    @cached_property
    def drawn_outfits(self) -> list[Outfit]:
        """Return the parsed outfits."""
        return [_outfit(text) for text in self.outfits]

    @cached_property
    def drawn_shots(self) -> list[Shot]:
        """Return the parsed shots."""
        return [Shot(**_values(text)) for text in self.shots]

    @property
    def per_identity(self) -> int:
        """The number of outfits of each person."""
        return len(self.outfits) // len(self.people)

    @classmethod
    def of(
        cls, bodies: Recipe, people: list[Person], outfits: list[Outfit], shots: list[Shot], **rest
    ) -> Self:
        """Return the recipe of images of `bodies`."""
        body = {f.name: getattr(bodies, f.name) for f in fields(Recipe)}
        return cls(**body, people=_texts(people), outfits=_texts(outfits), shots=_texts(shots), **rest)


def _texts(items: list) -> np.ndarray:
    return np.array([json.dumps(asdict(item)) for item in items])


def _values(text: str) -> dict[str, Any]:
    def tuples(values: dict[str, Any]) -> dict[str, Any]:
        return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}

    found: dict[str, Any] = json.loads(str(text), object_hook=tuples)
    return found


def _outfit(text: str) -> Outfit:
    values = _values(text)
    return Outfit(**values | {garment: Fabric(**values[garment]) for garment in ("top", "inner", "bottom")})


def _step(value: float, steps: dict[float, str], last: str) -> str:
    return next((name for limit, name in steps.items() if value <= limit), last)
