"""Draw the recipe of a set of images: people, outfits, and shots of each outfit."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from repose.errors import ReposeError
from repose.synthetic.open_human.recipe import Recipe
from repose.synthetic.rendered.manner import Manner
from repose.synthetic.rendered.recipe import ImageRecipe, Shot
from repose.synthetic.rendered.wardrobe import draw_outfit, draw_person

STYLES = ("stand", "walk", "reach")
"""Kinds of poses that people are photographed in: nobody squats in the published sets. A part of the data in which no
pose is of these kinds, as in a tiny set, uses all of its poses."""


@dataclass(frozen=True)
class Settings:
    """Sizes and seed of a set of images.

    Attributes:
        height, width: of an image in pixels.
        samples: per side of a pixel; odd, so that one is at the centre.
        vertices: of the bodies.
        identities, poses: how many of the bodies' are for training, validation and test.
        outfits: of each person.
        images: of each outfit.
        cameras: how many there are.
        seed: of everything random.
    """

    height: int
    width: int
    samples: int
    vertices: int
    identities: tuple[int, int, int]
    poses: tuple[int, int, int]
    outfits: int
    images: int
    cameras: int
    seed: int


def read_bodies(path: Path) -> Recipe:
    """The recipe of the people that images show.

    Raises:
        ReposeError: the file is missing, torn, or not a recipe of `open-human`.
    """
    return Recipe.read(path)


def draw_recipe(bodies: Recipe, settings: Settings, manner: Manner) -> ImageRecipe:
    """Draw what the images follow from; the draws of one person do not depend on how many there are.

    Args:
        bodies: people and poses, on a mesh of any vertex count.

    Raises:
        ReposeError: the bodies, or their poses, are fewer than asked for.
    """
    for what, asked, there in (
        ("identities", sum(settings.identities), len(bodies.rest_vertices)),
        ("poses", sum(settings.poses), len(bodies.poses)),
    ):
        if asked > there:
            raise ReposeError(f"{asked} {what} are asked for, the bodies have {there}", hint="ask for fewer")
    if bodies.rest_vertices.shape[1] != settings.vertices:
        from repose.synthetic.open_human.generation import finer  # loads torch and Anny, which takes seconds

        bodies = finer(bodies, settings.vertices)
    count = sum(settings.identities)
    people = [draw_person(_rng(settings, 0, identity)) for identity in range(count)]
    outfits = [
        draw_outfit(_rng(settings, 1, identity, outfit))
        for identity in range(count)
        for outfit in range(settings.outfits)
    ]
    shots = [shot for identity in range(count) for shot in _shots(bodies, settings, manner, identity)]
    frame = np.array([settings.height, settings.width, settings.samples, settings.seed], np.int64)
    return ImageRecipe.of(bodies, people, outfits, shots, frame=frame, background=np.array(manner.background))


def _shots(bodies: Recipe, settings: Settings, manner: Manner, identity: int) -> list[Shot]:
    part = int(np.searchsorted(np.cumsum(settings.identities), identity, side="right"))
    first = sum(settings.poses[:part])
    poses = np.arange(first, first + settings.poses[part])
    usual = poses[np.isin(bodies.styles[poses], STYLES)]
    poses = usual if len(usual) else poses
    found = []
    for outfit in range(settings.outfits):
        rng = _rng(settings, 2, identity, outfit)
        drawn = rng.choice(poses, settings.images, replace=len(poses) < settings.images)
        session = _Setting.draw(rng, manner)
        for number, pose in enumerate(drawn):
            setting = session if manner.session else _Setting.draw(rng, manner)
            place = identity, outfit, number
            found.append(_shot(rng, manner, setting, place, int(pose), settings.cameras))
    return found


@dataclass(frozen=True)
class _Setting:
    """Light and place of one image, or of all in a session."""

    light: tuple[float, float]
    ambient: float
    tint: tuple[float, float, float]
    place: int

    @classmethod
    def draw(cls, rng: np.random.Generator, manner: Manner) -> "_Setting":
        warm = float(rng.normal(0, manner.tint))
        return cls(
            light=(float(rng.uniform(*manner.light)), float(rng.uniform(*manner.elevation))),
            ambient=float(rng.uniform(*manner.ambient)),
            tint=(1 + warm, 1.0, 1 - warm),
            place=int(rng.integers(2**31)),
        )


def _shot(
    rng: np.random.Generator,
    manner: Manner,
    setting: _Setting,
    place: tuple[int, int, int],
    pose: int,
    cameras: int,
) -> Shot:
    identity, outfit, number = place
    return Shot(
        identity=identity,
        outfit=outfit,
        number=number,
        pose=pose,
        camera=int(rng.integers(cameras)),
        yaw=float(manner.yaw(rng)),
        pitch=float(rng.uniform(*manner.pitch)),
        framing="upper" if rng.uniform() < manner.upper else "full",
        fill=float(rng.uniform(*manner.fill)),
        shift=(float(rng.uniform(-0.5, 0.5)), float(rng.uniform(-0.8, 0.8))),
        **vars(setting),
    )


def _rng(settings: Settings, *place: int) -> np.random.Generator:
    return np.random.default_rng([settings.seed, *place])
