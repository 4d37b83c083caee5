"""Predictions to draw, and the choice of some of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from repose.provenance.stated import stated
from repose.reading import foreign
from repose.store.arrays import StoredArray, read_meta

Store = TypeVar("Store")


@dataclass(frozen=True)
class Shown(Generic[Store]):
    """Predictions of one method on one protocol, which is one group in the method's store."""

    dataset: str
    method: str
    predictions: Path
    store: Store

    def names(self, key: str) -> list[list[str]]:
        """Return the names of the meshes (`triples`) or images (`pairs`) of each prediction."""
        with foreign(self.predictions, "not predictions"):
            return [list(names) for names in self._attributes[key]]

    def has(self, key: str) -> bool:
        """Return whether the predictions are named by this key."""
        return key in self._attributes

    @property
    def vertices(self) -> StoredArray:
        """The vertices of predicted meshes or poses."""
        return StoredArray(self.predictions / "vertices", stated(self.predictions.parent))

    @property
    def _attributes(self) -> Any:
        meta = read_meta(self.predictions, stated(self.predictions.parent))
        with foreign(self.predictions, "not predictions"):
            return meta["attributes"]


def by_dataset(shown: Sequence[Shown[Store]]) -> list[list[Shown[Store]]]:
    """Return the methods of each dataset, in their order."""
    return [list(group) for _, group in groupby(shown, key=lambda item: item.dataset)]


def spread(count: int, wanted: int) -> list[int]:
    """Return the numbers of `wanted` items, evenly spread over a list of `count`."""
    return np.unique(np.linspace(0, count - 1, wanted).astype(int)).tolist()
