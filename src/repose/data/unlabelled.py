"""Meshes without truths, for systems that can learn from them, and the choice of labelled identities and poses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from repose.columns import INPUTS, TRIPLE
from repose.convert.catalog import mesh_id, mesh_numbers
from repose.data.meshes import centred, sides
from repose.errors import ReposeError
from repose.store.mesh_store import MeshStore

_SELECTION_SEED = 1234  # seed of the released lists


class UnlabelledBatch(NamedTuple):
    """Meshes centred by their bounding boxes, in template order; there is no truth among them.

    If the network sees unit areas, the surface of each mesh is 1 m².
    """

    other: Tensor  # (B, V, 3) metres, body B
    pose: Tensor  # (B, V, 3) metres, body A in pose 1
    same: Tensor  # (B, V, 3) metres, body A in pose 2
    other_order: Tensor  # (V,) int64 permutation that the network sees body B in
    body_order: Tensor  # (V,) int64, likewise for body A, in both poses


@dataclass(frozen=True)
class Numbers:
    """Identities and poses by their numbers in the catalogue."""

    identities: frozenset[int]
    poses: frozenset[int]

    @classmethod
    def seen_in(cls, triples: pd.DataFrame) -> Numbers:
        """Return the numbers of the meshes that triples take as inputs; the truths are not looked at."""
        pairs = {mesh_numbers(name) for column in INPUTS for name in triples[column].unique()}
        return cls(frozenset(i for i, _ in pairs), frozenset(p for _, p in pairs))

    def labelled(self, percent: float) -> Numbers:
        """Return the labelled part, chosen as in the released lists: 50 % of identities 0-15 are 13 11 0 12 14 2 10 7.

        NumPy's legacy generator, seeded with 1234, draws the identities and then the poses, each by one `choice`
        without replacement from the sorted numbers, as MAPConNet's code does (its data/data_utils.py); counts round
        half to even.
        """
        rng = np.random.RandomState(_SELECTION_SEED)

        def draw(numbers: frozenset[int]) -> frozenset[int]:
            chosen = rng.choice(sorted(numbers), round(percent / 100 * len(numbers)), replace=False)
            return frozenset(int(n) for n in chosen)

        return Numbers(draw(self.identities), draw(self.poses))

    def source(self, wanted: int | None) -> int:
        """Return the one identity that a method learns from: the wanted one, or else the first.

        Raises:
            ReposeError: the wanted one is not among them.
        """
        if wanted is not None and wanted not in self.identities:
            raise ReposeError(
                f"training.source: identity {wanted} is not in training",
                hint=f"choose among {', '.join(map(str, sorted(self.identities)))}",
            )
        return min(self.identities) if wanted is None else wanted

    def rows(self, store: MeshStore, identity: int) -> NDArray[np.int64]:
        """Return the rows of an identity in those of the poses that the store has."""
        names = (mesh_id(identity, pose) for pose in sorted(self.poses))
        return np.array([store.index_of(name) for name in names if name in store], dtype=np.int64)

    def without(self, other: Numbers) -> Numbers:
        """Return the identities and poses that `other` does not have."""
        return Numbers(self.identities - other.identities, self.poses - other.poses)

    def triples(self, triples: pd.DataFrame) -> pd.DataFrame:
        """Return the triples whose two inputs, and therefore the truth, are of these identities and poses."""
        kept = np.ones(len(triples), bool)
        for column in INPUTS:
            kept &= [self._has(name) for name in triples[column]]
        return triples[kept]

    def _has(self, name: str) -> bool:
        identity, pose = mesh_numbers(name)
        return identity in self.identities and pose in self.poses


class MeshesByIdentity:
    """The meshes of some identities in some poses, by identity; bodies in a single pose are left out."""

    def __init__(self, store: MeshStore, numbers: Numbers, unit_area: bool = False):
        self.store, self.unit_area = store, unit_area
        rows = {i: numbers.rows(store, i) for i in sorted(numbers.identities)}
        self.rows = {i: found for i, found in rows.items() if len(found) > 1}
        if not self.rows:
            raise ReposeError(
                f"{len(numbers.identities)} identities and {len(numbers.poses)} poses are too few to train without "
                "truths",
                where=store.path,
                hint="a body is needed in two poses; change training.labelled, or add identities and poses",
            )

    def any(self, rng: np.random.Generator) -> int:
        """Return the row of a random mesh."""
        return int(rng.choice(self.rows[int(rng.choice(list(self.rows)))]))

    def two_poses(self, rng: np.random.Generator, other: int) -> tuple[int, int]:
        """Return the rows of one body in two poses, the first of them different from the pose of row `other`.

        The body is different, too, if there is another one: then neither row, nor `other`, is the truth of the
        transfer.
        """
        other_identity, other_pose = mesh_numbers(self.store.mesh_ids[other])
        identities = [i for i in self.rows if i != other_identity] or [other_identity]
        rows = self.rows[int(rng.choice(identities))]
        first = int(rng.choice([r for r in rows if mesh_numbers(self.store.mesh_ids[r])[1] != other_pose]))
        return first, int(rng.choice(rows[rows != first]))

    def meshes(self, rows: NDArray[np.int64]) -> Tensor:
        """Return the meshes (B, V, 3) of those rows, centred; in metres, or scaled to a surface of 1 m²."""
        found = centred(self.store.vertices(rows))
        return found / sides(found, torch.from_numpy(self.store.faces).long()) if self.unit_area else found


def unlabelled_batch(
    others: MeshesByIdentity, bodies: MeshesByIdentity, size: int, rng: np.random.Generator
) -> UnlabelledBatch:
    """Return `size` draws of body B from `others` and of body A, in two poses, from `bodies`."""
    rows = []
    for _ in range(size):
        other = others.any(rng)
        rows.append((other, *bodies.two_poses(rng, other)))
    meshes = (bodies.meshes(np.array(column)) for column in zip(*rows, strict=True))
    orders = (torch.from_numpy(rng.permutation(bodies.store.shape[1])) for _ in range(2))
    return UnlabelledBatch(*meshes, *orders)


def same_body_triples(store: MeshStore, triples: pd.DataFrame) -> pd.DataFrame:
    """Return triples that need no truth: a body posed like itself in another pose, which is the result, too.

    The pose meshes are those of `triples`; the identity mesh is drawn from the poses in `triples`, by a fixed seed.
    """
    bodies, rng = MeshesByIdentity(store, Numbers.seen_in(triples)), np.random.default_rng(0)
    rows = []
    for name, role in zip(triples.pose_mesh, triples.role, strict=True):
        others = bodies.rows.get(mesh_numbers(name)[0], np.empty(0, np.int64))
        others = others[others != store.index_of(name)]
        if len(others):
            rows.append((store.mesh_ids[rng.choice(others)], name, name, role))
    return pd.DataFrame(rows, columns=[*TRIPLE, "role"])
