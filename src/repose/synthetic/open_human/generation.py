"""Making a recipe: template, identities, and a bank of poses that suits them all."""

from collections.abc import Callable
from dataclasses import astuple
from typing import NamedTuple

import numpy as np

from repose.errors import ReposeError
from repose.synthetic.open_human.anny_body import Body, load_template, make_body
from repose.synthetic.open_human.collisions import CollisionTest
from repose.synthetic.open_human.identities import draw_identities
from repose.synthetic.open_human.poses import PoseSampler
from repose.synthetic.open_human.posing import Skin, turn_bones
from repose.synthetic.open_human.recipe import Recipe, Settings
from repose.synthetic.open_human.template import Template, retopologise, whole

_MOST_CANDIDATES_PER_POSE = 30
_MOST_TRIES = 15  # at one style, before another is drawn


def generate(settings: Settings, progress: Callable[[int, int], None] | None = None) -> Recipe:
    """Make the recipe of a dataset: template, identities and poses, the same for the same settings.

    Args:
        settings: sizes and seed.
        progress: called with (poses accepted, poses wanted) as the work goes on.

    Raises:
        ReposeError: no closed mesh of that many vertices, or too few poses free of self-intersection.
    """
    identity_seed, pose_seed = np.random.SeedSequence(settings.seed).spawn(2)
    phenotypes = draw_identities(np.random.default_rng(identity_seed), settings.identities)
    made = bodies_of(phenotypes, settings.vertices)
    bank = PoseBank(made.body, made.template, made.sampler, np.random.default_rng(pose_seed))
    poses, styles = bank.fill(settings.poses, progress or (lambda done, total: None))
    poses[0], styles[0] = 0, "rest"
    return recipe_of(settings, made, poses, styles, bank.candidates)


def finer(recipe: Recipe, vertices: int) -> Recipe:
    """The identities and poses of a recipe on a mesh of another vertex count.

    A pose that suits the mesh of the recipe may touch itself on another one.

    Raises:
        ReposeError: no closed mesh of that many vertices.
    """
    made = bodies_of(dict(zip(recipe.phenotype_names.tolist(), recipe.phenotypes.T, strict=True)), vertices)
    settings = Settings(vertices, *recipe.settings[1:].tolist())
    return recipe_of(settings, made, recipe.poses, recipe.styles, int(recipe.candidates))


class Bodies(NamedTuple):
    """The identities of a recipe on their mesh, and where poses for them come from."""

    phenotypes: dict[str, np.ndarray]
    template: Template
    body: Body
    sampler: PoseSampler


def bodies_of(phenotypes: dict[str, np.ndarray], vertices: int) -> Bodies:
    """Make the bodies of some phenotypes.

    Mesh and sampler come from Anny's average body, so neither depends on the identities drawn.

    Args:
        phenotypes: name -> (I,) values in [0, 1].
        vertices: of the mesh.

    Raises:
        ReposeError: no closed mesh of that many vertices.
    """
    data = load_template()
    faces = data.faces.numpy()
    average = make_body(data, whole(faces), {name: np.array([0.5]) for name in phenotypes})
    skin, parents = _skin(average, 0), average.bone_parents
    sampler = PoseSampler(average.bone_names, skin.joints(turn_bones(np.zeros((len(parents), 3)), parents)))
    bent = skin.vertices(turn_bones(sampler.bent(), parents)).astype(np.float64)
    template = retopologise(bent, faces, vertices)
    return Bodies(phenotypes, template, make_body(data, template, phenotypes), sampler)


def _skin(body: Body, identity: int) -> Skin:
    return Skin(
        body.rest_vertices[identity],
        body.bone_heads[identity],
        body.bone_twists[identity],
        body.bone_parents,
        body.skin_bones,
        body.skin_weights,
    )


class PoseBank:
    """Poses in which no identity runs through itself."""

    def __init__(self, body: Body, template: Template, sampler: PoseSampler, rng: np.random.Generator):
        """Take the identities, their mesh, where poses come from and its randomness."""
        self._parents, self._sampler, self._rng = body.bone_parents, sampler, rng
        self._skins = [_skin(body, identity) for identity in range(len(body.rest_vertices))]
        self._test = CollisionTest(template.faces, body.skin_bones, body.skin_weights, body.bone_names)
        still = turn_bones(np.zeros((len(self._parents), 3)), self._parents)
        for skin in self._skins:
            self._test.accept(skin.vertices(still))
        self.candidates = 0

    def fill(self, count: int, progress: Callable[[int, int], None]) -> tuple[np.ndarray, np.ndarray]:
        """Draw until `count` poses suit all identities.

        A style that is refused is drawn again, so that the shares of the styles stay as planned.

        Returns:
            (count, J, 3) float32 rotation vectors and (count,) styles.
        """
        poses: list[np.ndarray] = []
        styles: list[str] = []
        refused = 0
        style, pose = self._sampler.draw(self._rng)
        while len(poses) < count:
            if self.candidates >= _MOST_CANDIDATES_PER_POSE * count:
                raise ReposeError(
                    f"only {len(poses)} of {self.candidates} poses drawn suit all bodies",
                    "open-human: poses",
                    "ask for fewer identities or another seed",
                )
            self.candidates += 1
            if self._suits_all(pose):
                poses.append(pose)
                styles.append(style)
                progress(len(poses), count)
                refused = 0
            else:
                refused += 1
            again = style if 0 < refused < _MOST_TRIES else None
            style, pose = self._sampler.draw(self._rng, again)
        return np.stack(poses), np.array(styles)

    def _suits_all(self, pose: np.ndarray) -> bool:
        turned = turn_bones(pose, self._parents)
        for place, skin in enumerate(self._skins):
            if self._test.intersects(skin.vertices(turned)):
                # Whoever failed is likely to fail again, so it is asked first next time.
                self._skins.insert(0, self._skins.pop(place))
                return False
        return True


def recipe_of(
    settings: Settings,
    made: Bodies,
    poses: np.ndarray,
    styles: np.ndarray,
    candidates: int,
) -> Recipe:
    """The recipe of bodies in poses (P, J, 3) of P styles, found among some candidates."""
    phenotypes, template, body, _ = made
    return Recipe(
        faces=template.faces.astype(np.int32),
        map_vertices=template.map_vertices.astype(np.int32),
        map_weights=template.map_weights.astype(np.float32),
        skin_bones=body.skin_bones.astype(np.int16),
        skin_weights=body.skin_weights,
        bone_names=np.array(body.bone_names),
        bone_parents=body.bone_parents.astype(np.int16),
        bone_heads=body.bone_heads,
        bone_twists=body.bone_twists,
        rest_vertices=body.rest_vertices,
        phenotype_names=np.array(list(phenotypes)),
        phenotypes=np.stack(list(phenotypes.values()), axis=1),
        poses=poses,
        styles=styles,
        candidates=np.array(candidates, dtype=np.int64),
        settings=np.array(astuple(settings), dtype=np.int64),
    )
