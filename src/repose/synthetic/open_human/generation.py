"""Generate a recipe: template, identities, and a bank of poses that suits them all."""

from collections.abc import Callable
from dataclasses import astuple
from functools import partial
from typing import NamedTuple

import numpy as np

from repose.synthetic.bank import fill_bank
from repose.synthetic.open_human import deep
from repose.synthetic.open_human.anny_body import RiggedBodies, load_template, make_rigged_bodies
from repose.synthetic.open_human.collisions import CollisionTest
from repose.synthetic.open_human.identities import draw_identities
from repose.synthetic.open_human.poses import PoseSampler
from repose.synthetic.open_human.posing import Skin, skin_of, turn_bones
from repose.synthetic.open_human.recipe import Recipe, Settings
from repose.synthetic.open_human.template import Template, retopologise, whole


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
    phenotypes = draw_identities(np.random.default_rng(identity_seed), settings.identities)
    made = identities_of(phenotypes, settings.vertices)
    bodies, parents = made.bodies, made.bodies.bone_parents
    skins = [skin_of(bodies, identity) for identity in range(settings.identities)]
    test = CollisionTest(made.template.faces, bodies.skin_bones, bodies.skin_weights, bodies.bone_names)
    still = turn_bones(np.zeros((len(parents), 3)), parents)
    for skin in skins:
        test.accept(skin.vertices(still))

    def suits(skin: Skin, pose: np.ndarray) -> bool:
        return not test.intersects(skin.vertices(turn_bones(pose, parents)))

    draw = partial(made.sampler.draw, np.random.default_rng(pose_seed))
    far = settings.poses * settings.deep // 100
    bank = fill_bank("open-human", settings.poses - far, skins, suits, draw, progress)
    if far:

        def suits_deep(skin: Skin, pose: np.ndarray) -> bool:
            return test.touches(skin.vertices(turn_bones(pose, parents))) <= deep.MOST_TOUCHING

        rng = np.random.default_rng(pose_seed.spawn(1)[0])
        draw = partial(made.sampler.draw, rng, styles=deep.STYLES)
        bank = _mixed(rng, bank, fill_bank("open-human", far + 1, skins, suits_deep, draw, None))
    return recipe_of(settings, made, *bank)


Bank = tuple[np.ndarray, np.ndarray, int]  # poses, styles, candidates


def _mixed(rng: np.random.Generator, usual: Bank, others: Bank) -> Bank:
    """Join both banks, with the pose at rest first and the other poses at random places among the usual ones."""
    poses, styles = (np.concatenate([a, b[1:]]) for a, b in zip(usual[:2], others[:2], strict=True))
    order = np.r_[0, 1 + rng.permutation(len(poses) - 1)]
    return poses[order], styles[order], usual[2] + others[2]


def finer(recipe: Recipe, vertices: int) -> Recipe:
    """Return the identities and poses of a recipe on a mesh with another vertex count.

    A pose without self-intersections on the mesh of the recipe may have some on another mesh.

    Raises:
        ReposeError: there is no closed mesh of that many vertices.
    """
    made = identities_of(
        dict(zip(recipe.phenotype_names.tolist(), recipe.phenotypes.T, strict=True)), vertices
    )
    settings = Settings(vertices, *recipe.settings[1:].tolist())
    return recipe_of(settings, made, recipe.poses, recipe.styles, int(recipe.candidates))


class Identities(NamedTuple):
    """The identities of a recipe on their mesh, and the sampler of poses for them."""

    phenotypes: dict[str, np.ndarray]
    template: Template
    bodies: RiggedBodies
    sampler: PoseSampler


def identities_of(phenotypes: dict[str, np.ndarray], vertices: int) -> Identities:
    """Make the bodies of some phenotypes.

    Mesh and sampler come from Anny's average body, so neither depends on the identities drawn.

    Args:
        phenotypes: name -> (I,) values in [0, 1].
        vertices: number of vertices of the mesh.

    Raises:
        ReposeError: there is no closed mesh of that many vertices.
    """
    data = load_template()
    faces = data.faces.numpy()
    average = make_rigged_bodies(data, whole(faces), {name: np.array([0.5]) for name in phenotypes})
    skin, parents = skin_of(average, 0), average.bone_parents
    sampler = PoseSampler(average.bone_names, skin.joints(turn_bones(np.zeros((len(parents), 3)), parents)))
    bent = skin.vertices(turn_bones(sampler.bent(), parents)).astype(np.float64)
    template = retopologise(bent, faces, vertices)
    return Identities(phenotypes, template, make_rigged_bodies(data, template, phenotypes), sampler)


def recipe_of(
    settings: Settings,
    made: Identities,
    poses: np.ndarray,
    styles: np.ndarray,
    candidates: int,
) -> Recipe:
    """Return the recipe of bodies in poses (P, J, 3) with P styles, which were found among `candidates` draws."""
    phenotypes, template, bodies, _ = made
    return Recipe(
        faces=template.faces.astype(np.int32),
        map_vertices=template.map_vertices.astype(np.int32),
        map_weights=template.map_weights.astype(np.float32),
        skin_bones=bodies.skin_bones.astype(np.int16),
        skin_weights=bodies.skin_weights,
        bone_names=np.array(bodies.bone_names),
        bone_parents=bodies.bone_parents.astype(np.int16),
        bone_heads=bodies.bone_heads,
        bone_twists=bodies.bone_twists,
        rest_vertices=bodies.rest_vertices,
        phenotype_names=np.array(list(phenotypes)),
        phenotypes=np.stack(list(phenotypes.values()), axis=1),
        poses=poses,
        styles=styles,
        candidates=np.array(candidates, dtype=np.int64),
        settings=np.array(astuple(settings), dtype=np.int64),
    )
