"""Draw the recipe of a set of images: people, outfits, and shots of each outfit."""

from typing import Any

import numpy as np

from repose.errors import ReposeError
from repose.synthetic.open_human.recipe import Recipe
from repose.synthetic.rendered.manner import Manner
from repose.synthetic.rendered.recipe import ImageRecipe, Shot
from repose.synthetic.rendered.settings import Rendered
from repose.synthetic.rendered.wardrobe import draw_outfit, draw_person

STYLES = ("stand", "walk", "reach")
"""Kinds of poses that people are photographed in: nobody squats in the published sets. A part of the data in which no
pose is of these kinds, as in a tiny set, uses all of its poses."""


def draw_recipe(bodies: Recipe, settings: Rendered) -> ImageRecipe:
    """Draw the recipe of a set of images; the draws of one person do not depend on the number of people."""
    count = sum(settings.identities.counts)
    for what, asked, there in (
        ("identities", count, len(bodies.rest_vertices)),
        ("poses", sum(settings.poses.counts), len(bodies.poses)),
    ):
        if asked > there:
            raise ReposeError(f"{asked} {what} are asked for, the bodies have {there}", hint="ask for fewer")
    if bodies.rest_vertices.shape[1] != settings.vertices:
        # it loads torch and Anny, which takes seconds
        from repose.synthetic.open_human.generation import finer

        bodies = finer(bodies, settings.vertices)
    people = [draw_person(_rng(settings, 0, identity)) for identity in range(count)]
    outfits = [
        draw_outfit(_rng(settings, 1, identity, outfit))
        for identity in range(count)
        for outfit in range(settings.outfits)
    ]
    shots = [shot for identity in range(count) for shot in _shots(bodies, settings, identity)]
    frame = np.array([settings.height, settings.width, settings.samples, settings.seed], np.int64)
    background = np.array(settings.manner.background)
    return ImageRecipe.of(bodies, people, outfits, shots, frame=frame, background=background)


def _shots(bodies: Recipe, settings: Rendered, identity: int) -> list[Shot]:
    manner, counts = settings.manner, settings.poses.counts
    part = int(np.searchsorted(np.cumsum(settings.identities.counts), identity, side="right"))
    first = sum(counts[:part])
    poses = np.arange(first, first + counts[part])
    usual = poses[np.isin(bodies.styles[poses], STYLES)]
    poses = usual if len(usual) else poses
    found = []
    for outfit in range(settings.outfits):
        rng = _rng(settings, 2, identity, outfit)
        drawn = rng.choice(poses, settings.images, replace=len(poses) < settings.images)
        session = _surroundings(rng, manner)
        for number, pose in enumerate(drawn.tolist()):
            around = session if manner.session else _surroundings(rng, manner)
            found.append(
                Shot(
                    identity=identity,
                    outfit=outfit,
                    number=number,
                    pose=pose,
                    camera=int(rng.integers(settings.cameras)),
                    yaw=float(manner.yaw(rng)),
                    pitch=float(rng.uniform(*manner.pitch)),
                    framing="upper" if rng.uniform() < manner.upper else "full",
                    fill=float(rng.uniform(*manner.fill)),
                    shift=(float(rng.uniform(-0.5, 0.5)), float(rng.uniform(-0.8, 0.8))),
                    **around,
                )
            )
    return found


def _surroundings(rng: np.random.Generator, manner: Manner) -> dict[str, Any]:
    """Draw light and place of one image, or of all images of a session."""
    warm = float(rng.normal(0, manner.tint))
    return {
        "light": (float(rng.uniform(*manner.light)), float(rng.uniform(*manner.elevation))),
        "ambient": float(rng.uniform(*manner.ambient)),
        "tint": (1 + warm, 1.0, 1 - warm),
        "place": int(rng.integers(2**31)),
    }


def _rng(settings: Rendered, *place: int) -> np.random.Generator:
    return np.random.default_rng([settings.seed, *place])
