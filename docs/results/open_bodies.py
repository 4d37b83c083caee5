"""Bodies of the open datasets for the commands beside this file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from repose.synthetic.open_animal import generation as animal
from repose.synthetic.open_animal import posing as animal_posing
from repose.synthetic.open_animal.recipe import Settings as AnimalSettings
from repose.synthetic.open_human import generation as human
from repose.synthetic.open_human import posing as human_posing
from repose.synthetic.open_human.recipe import Settings as HumanSettings

KINDS = ("human", "animal")


@dataclass(frozen=True)
class OpenBodies:
    """Identities and poses of one kind.

    Attributes:
        recipe: what their dataset is made from.
        faces: (F, 3) of all of them.
    """

    recipe: Any
    faces: NDArray[np.int64]
    posing: ModuleType

    @classmethod
    def drawn(
        cls, name: str, vertices: int, identities: int, poses: int, seed: int, deep: int = 0
    ) -> OpenBodies:
        """Those of a seed; `deep` percent of the poses of people bend far."""
        settings, generation, posing = {
            "human": (partial(HumanSettings, deep=deep), human, human_posing),
            "animal": (AnimalSettings, animal, animal_posing),
        }[name]
        recipe = generation.generate(settings(vertices, identities, poses, seed))
        return cls(recipe, recipe.faces.astype(np.int64), posing)

    def meshes(self, identity: int, poses: Iterable[int]) -> NDArray[np.float64]:
        """The vertices (P, N, 3) of an identity in poses, metres."""
        meshes: NDArray[np.float32] = self.posing.meshes(self.recipe, identity, poses)
        return meshes.astype(np.float64)
