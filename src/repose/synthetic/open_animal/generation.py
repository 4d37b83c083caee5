"""Generate a recipe: template, identities, and a bank of poses that suits them all."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import astuple, dataclass
from functools import partial

import numpy as np
from scipy.sparse.csgraph import shortest_path

from repose.errors import ReposeError
from repose.mesh.intersections import intersecting_faces
from repose.synthetic.bank import fill_bank
from repose.synthetic.open_animal.anatomy import (
    AVERAGE,
    NAMES,
    PARENTS,
    SPECIES,
    Build,
    build_anatomy,
    varied,
)
from repose.synthetic.open_animal.poses import PoseSampler
from repose.synthetic.open_animal.posing import pose_skin
from repose.synthetic.open_animal.recipe import Recipe, Settings
from repose.synthetic.open_animal.shape import make_template
from repose.synthetic.open_animal.skin import bone_weights, dense_weights, fit

KIN = 3  # bones at most this many joints apart may touch, because the skin folds there
MOST_FOLDED = 0.07  # share of all faces that may intersect others, including folds
MOST_INDIVIDUALS = 20


@dataclass(frozen=True)
class _Animal:
    build: Build
    rest: np.ndarray  # (V, 3) float32, pelvis at the origin
    heads: np.ndarray  # (J, 3)


def generate(settings: Settings, progress: Callable[[int, int], None] | None = None) -> Recipe:
    """Make the recipe of a dataset: template, identities and poses, the same for the same settings.

    Args:
        settings: sizes and seed.
        progress: called with (poses accepted, poses wanted) as the work goes on.

    Raises:
        ReposeError: there is no closed mesh of that many vertices, or there are too few poses without
            self-intersections.
    """
    identity_seed, pose_seed = np.random.SeedSequence(settings.seed).spawn(2)
    print("raw open-animal: fitting the mesh to every animal", file=sys.stderr, flush=True)
    template = build_anatomy(AVERAGE)
    vertices, faces = make_template(template, settings.vertices)
    bones, shares = bone_weights(template, vertices, faces)
    shares = shares.astype(np.float32).astype(np.float64)  # as the recipe stores them
    rng = np.random.default_rng(identity_seed)
    names = [list(SPECIES)[k % len(SPECIES)] for k in range(settings.identities)]
    animals = [
        _individual(name, rng, k < len(SPECIES), vertices, faces, bones, shares)
        for k, name in enumerate(names)
    ]
    labels, kin = dense_weights(bones, shares)[faces].sum(axis=1).argmax(axis=1), kinship()

    def suits(animal: _Animal, pose: np.ndarray) -> bool:
        rest = animal.rest.astype(np.float64)
        posed = pose_skin(rest, animal.heads, bones, shares, pose[None])[0]
        found = intersecting_faces(posed, faces)
        if found.mean() > MOST_FOLDED:
            return False
        return not found.any() or not intersecting_faces(posed, faces, labels, kin).any()

    draw = partial(PoseSampler(template.heads, template.tails).draw, np.random.default_rng(pose_seed))
    poses, styles, candidates = fill_bank("open-animal", settings.poses, animals, suits, draw, progress)
    return Recipe(
        faces=faces.astype(np.int32),
        skin_bones=bones.astype(np.int16),
        skin_weights=shares.astype(np.float32),
        bone_names=np.array(NAMES),
        bone_parents=PARENTS,
        bone_heads=np.stack([animal.heads for animal in animals]),
        rest_vertices=np.stack([animal.rest for animal in animals]),
        species=np.array(names),
        builds=np.array([astuple(animal.build) for animal in animals]),
        poses=poses,
        styles=styles,
        candidates=np.array(candidates, dtype=np.int64),
        settings=np.array(astuple(settings), dtype=np.int64),
    )


def _individual(
    species: str, rng: np.random.Generator, typical: bool,
    vertices: np.ndarray, faces: np.ndarray, bones: np.ndarray, shares: np.ndarray,
) -> _Animal:  # fmt: skip
    """Return an animal of a species: the typical one, or one whose lengths differ a little."""
    for _ in range(MOST_INDIVIDUALS):
        build = SPECIES[species] if typical else varied(SPECIES[species], rng)
        rest = fit(build, vertices, faces, bones, shares)
        if typical or not intersecting_faces(rest, faces).any():
            heads = build_anatomy(build).heads
            return _Animal(build, (rest - heads[0]).astype(np.float32), heads - heads[0])
    raise ReposeError(
        f"no {species} of {len(vertices)} vertices is free of self-intersection",
        "open-animal: vertices", "ask for more vertices or another seed",
    )  # fmt: skip


def kinship() -> np.ndarray:
    """Return the (J, J) bool table of bones that are at most `KIN` joints apart."""
    joined = np.zeros((len(NAMES), len(NAMES)))
    joined[np.arange(1, len(NAMES)), PARENTS[1:]] = 1
    return shortest_path(joined, directed=False) <= KIN
