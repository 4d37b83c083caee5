"""Generate the recipe of `open-npt`: the bodies of `open-human`, and the poses of SMPL-NPT."""

from collections.abc import Callable

import numpy as np

from repose.raw import smpl_sampling
from repose.synthetic.open_human.generation import identities_of, recipe_of
from repose.synthetic.open_human.identities import draw_identities
from repose.synthetic.open_human.recipe import Recipe, Settings
from repose.synthetic.open_npt.skeleton import SmplOnAnny

__all__ = ["Settings", "generate"]


def generate(settings: Settings, progress: Callable[[int, int], None] | None = None) -> Recipe:
    """Make the recipe of a dataset, the same for the same settings.

    Pose p depends on p alone, as published, and no pose is refused: the published poses were not tested for
    self-intersections of other bodies. The seed draws the identities.

    Args:
        settings: sizes and seed.
        progress: called with (poses made, poses wanted) as the work goes on.

    Raises:
        ReposeError: there is no closed mesh of that many vertices.
    """
    (identity_seed,) = np.random.SeedSequence(settings.seed).spawn(1)
    phenotypes = draw_identities(np.random.default_rng(identity_seed), settings.identities)
    made = identities_of(phenotypes, settings.vertices)
    skeleton = SmplOnAnny(made.bodies.bone_names, made.bodies.bone_parents, made.sampler.arms)
    poses = np.stack([skeleton.pose(smpl_sampling.pose(number)) for number in range(settings.poses)])
    bent = np.arange(settings.poses) < smpl_sampling.BENT_POSES
    if progress:
        progress(settings.poses, settings.poses)
    styles = np.where(bent, "bent", "straight")
    return recipe_of(settings, made, poses, styles, settings.poses)
