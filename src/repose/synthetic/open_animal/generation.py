"""Making a recipe: template, identities, and a bank of poses that suits them all."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import astuple, dataclass

import numpy as np

from repose.errors import ReposeError
from repose.mesh.intersections import intersecting_faces
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
from repose.synthetic.open_animal.skin import bone_weights, fit

KIN = 3  # bones no more joints apart than this may touch: there the skin folds
MOST_FOLDED = 0.07  # share of all faces that may run into others, folds included
MOST_CANDIDATES_PER_POSE = 40
MOST_INDIVIDUALS = 20
MOST_TRIES = 15  # at one style, before another is drawn


@dataclass(frozen=True)
class _Animal:
    species: str
    build: Build
    rest: np.ndarray  # (V, 3) float32, pelvis at the origin
    heads: np.ndarray  # (J, 3)


def generate(settings: Settings, progress: Callable[[int, int], None] | None = None) -> Recipe:
    """Make the recipe of a dataset: template, identities and poses, the same for the same settings.

    Args:
        settings: sizes and seed.
        progress: called with (poses accepted, poses wanted) as the work goes on.

    Raises:
        ReposeError: no closed mesh of that many vertices, or too few poses free of self-intersection.
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
    bank = PoseBank(animals, faces, bones, shares)
    sampler = PoseSampler(template.heads, template.tails)
    poses, styles = bank.fill(
        settings.poses, sampler, np.random.default_rng(pose_seed), progress or (lambda done, total: None)
    )
    poses[0], styles[0] = 0, "rest"
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
        candidates=np.array(bank.candidates, dtype=np.int64),
        settings=np.array(astuple(settings), dtype=np.int64),
    )


def _individual(
    species: str, rng: np.random.Generator, typical: bool,
    vertices: np.ndarray, faces: np.ndarray, bones: np.ndarray, shares: np.ndarray,
) -> _Animal:  # fmt: skip
    """An animal of a species: the typical one, or one whose lengths differ a little."""
    for _ in range(MOST_INDIVIDUALS):
        build = SPECIES[species] if typical else varied(SPECIES[species], rng)
        rest = fit(build, vertices, faces, bones, shares)
        if typical or not intersecting_faces(rest, faces).any():
            heads = build_anatomy(build).heads
            return _Animal(species, build, (rest - heads[0]).astype(np.float32), heads - heads[0])
    raise ReposeError(
        f"no {species} of {len(vertices)} vertices is free of self-intersection",
        "open-animal: vertices", "ask for more vertices or another seed",
    )  # fmt: skip


def kinship() -> np.ndarray:
    """The (J, J) bool table of bones that are no more than `KIN` joints apart."""
    distance = np.full((len(NAMES), len(NAMES)), len(NAMES))
    np.fill_diagonal(distance, 0)
    for bone, parent in enumerate(PARENTS):
        if parent >= 0:
            distance[bone, parent] = distance[parent, bone] = 1
    for bone in range(len(NAMES)):
        distance = np.minimum(distance, distance[:, [bone]] + distance[[bone]])
    return distance <= KIN


class PoseBank:
    """Poses in which no identity runs through itself."""

    def __init__(self, animals: list[_Animal], faces: np.ndarray, bones: np.ndarray, shares: np.ndarray):
        """Take the identities, and the mesh and weights they share."""
        self._animals, self._faces, self._bones, self._shares = list(animals), faces, bones, shares
        dense = np.zeros((len(bones), len(NAMES)))
        np.put_along_axis(dense, bones, shares, axis=1)
        self._labels, self._kin = dense[faces].sum(axis=1).argmax(axis=1), kinship()
        self.candidates = 0

    def fill(
        self, count: int, sampler: PoseSampler, rng: np.random.Generator, progress: Callable[[int, int], None]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw until `count` poses suit all identities: (count, J, 3) float32 and (count,) styles.

        A style that is often refused is drawn again, so that the shares of the styles stay as planned.
        """
        poses: list[np.ndarray] = []
        styles: list[str] = []
        tries, (style, pose) = 1, sampler.draw(rng)
        while len(poses) < count:
            if self.candidates >= MOST_CANDIDATES_PER_POSE * count:
                raise ReposeError(
                    f"only {len(poses)} of {self.candidates} poses drawn suit all animals",
                    "open-animal: poses", "ask for fewer identities or another seed",
                )  # fmt: skip
            self.candidates += 1
            if self._suits_all(pose):
                poses.append(pose)
                styles.append(style)
                progress(len(poses), count)
                tries, (style, pose) = 1, sampler.draw(rng)
            else:
                tries += 1
                style, pose = sampler.draw(rng, style if tries <= MOST_TRIES else None)
        return np.stack(poses), np.array(styles)

    def _suits_all(self, pose: np.ndarray) -> bool:
        for place, animal in enumerate(self._animals):
            rest = animal.rest.astype(np.float64)
            posed = pose_skin(rest, animal.heads, self._bones, self._shares, pose[None])[0]
            found = intersecting_faces(posed, self._faces)
            if found.mean() > MOST_FOLDED or (
                found.any() and intersecting_faces(posed, self._faces, self._labels, self._kin).any()
            ):
                # Whoever failed is likely to fail again, so it is asked first next time.
                self._animals.insert(0, self._animals.pop(place))
                return False
        return True
