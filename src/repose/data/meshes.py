"""Training batches as a pure function of seed and step, so that a resumed run sees the same batches."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from repose.columns import INPUTS, TRIPLE
from repose.convert.catalog import mesh_id, mesh_numbers
from repose.data.augmentation import Augmentation
from repose.data.batches import Batches, in_epochs, in_order
from repose.data.variation import varied_order, varied_triples
from repose.mesh.rests import RestPose, Rests
from repose.store.mesh_store import MeshStore


class Batch(NamedTuple):
    """Triples, each mesh centred by its bounding box, in template vertex order, and the shuffles to apply.

    With a `side`, the identity and pose meshes have a surface of 1 m² each; multiplying by `side` gives lengths of the
    identity and of the truth in metres.
    """

    identity: Tensor  # (B, V, 3) metres
    pose: Tensor  # (B, V, 3) metres
    truth: Tensor  # (B, V, 3) metres
    identity_order: Tensor  # (V,) int64 permutation in which the network sees the identity mesh
    pose_order: Tensor  # (V,) int64, likewise for the pose mesh
    faces: Tensor  # (F, 3) int64, of all meshes
    rests: Rests | None = None  # both bodies at rest, where asked for
    side: Tensor | None = None  # (B, 1, 1): side of a square with the area of the identity's surface


def centred(vertices: NDArray[np.float32]) -> Tensor:
    """Move each mesh (..., V, 3) so that the middle of its bounding box is the origin."""
    # One coordinate at a time: NumPy reduces the middle axis of (B, V, 3) ten times slower.
    sides = [(vertices[..., k].min(axis=-1) + vertices[..., k].max(axis=-1)) / 2 for k in range(3)]
    return torch.from_numpy(vertices - np.stack(sides, axis=-1)[..., None, :])


def sides(
    meshes: Tensor,  # (B, V, 3) metres
    faces: Tensor,  # (F, 3) int64
) -> Tensor:
    """Return the side (B, 1, 1) of a square with the area of each mesh's surface, metres."""
    a, b, c = (meshes[:, faces[:, k]] for k in range(3))
    areas = torch.linalg.vector_norm(torch.linalg.cross(b - a, c - a), dim=-1).sum(dim=1) / 2
    return areas.sqrt()[:, None, None]


class Triples:
    """Triples of a split as rows of a mesh store.

    Args:
        store: packed meshes.
        triples: mesh ids.
        rest_pose: the pose in which a method is also given both bodies.
        unit_area: whether batches have a `side`.
        augment: variation of the bodies; None: no variation.
    """

    def __init__(
        self,
        store: MeshStore,
        triples: pd.DataFrame,
        rest_pose: RestPose | None = None,
        unit_area: bool = False,
        augment: Augmentation | None = None,
    ):
        self.store, self.unit_area, self.augment = store, unit_area, augment
        self.rows = _rows(store, triples[TRIPLE])
        self.rests = None
        if rest_pose is not None:
            self.rests = _rows(store, at_rest(triples, rest_pose))

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, chosen: NDArray[np.integer], shuffle: np.random.Generator) -> Batch:
        """Return the triples numbered `chosen`, and two independent vertex shuffles drawn from `shuffle`."""
        meshes = [self.store.vertices(self.rows[chosen, k]) for k in range(3)]
        orders = [shuffle.permutation(self.store.shape[1]) for _ in range(2)]
        if self.augment:
            # One order serves a whole batch, as its bodies are registered; it is drawn on the first body.
            orders = [varied_order(self.augment, mesh[0], self.store.faces, shuffle) for mesh in meshes[:2]]
            meshes = varied_triples(self.augment, meshes, shuffle)
        identity, pose, truth = map(centred, meshes)
        order, pose_order = map(torch.from_numpy, orders)
        side, faces = None, torch.from_numpy(self.store.faces).long()
        if self.unit_area:
            side = sides(identity, faces)
            identity, pose, truth = identity / side, pose / sides(pose, faces), truth / side
        return Batch(identity, pose, truth, order, pose_order, faces, self._rests(chosen, faces), side)

    def _rests(self, chosen: NDArray[np.integer], faces: Tensor) -> Rests | None:
        if self.rests is None:
            return None
        identity, pose = (centred(self.store.vertices(self.rests[chosen, k])) for k in range(2))
        return Rests(identity, pose, faces, faces)


def at_rest(triples: pd.DataFrame, rest_pose: RestPose) -> pd.DataFrame:
    """Return columns identity_mesh and pose_mesh: the bodies of triples in the pose in which a method is given both."""
    bodies = triples[INPUTS].map(lambda name: mesh_numbers(name)[0])
    poses = triples.identity_mesh.map(lambda name: mesh_numbers(name)[1])
    return bodies.apply(
        lambda column: [
            mesh_id(body, pose if rest_pose == "identity" else rest_pose)
            for body, pose in zip(column, poses, strict=True)
        ]
    )


def _rows(store: MeshStore, names: pd.DataFrame) -> NDArray[np.int64]:
    """Return the rows of a table of mesh names, in the same shape."""
    return np.array([[store.index_of(name) for name in row] for row in names.itertuples(index=False)])


@dataclass(frozen=True)
class TrainingData:
    """The data that a training may read."""

    store: MeshStore
    train: Triples
    val: Triples
    # further inputs of a recipe, by name
    given: Mapping[str, Path] = field(default_factory=dict, kw_only=True)


def training_batches(
    triples: Triples, size: int, seed: int, start: int, stop: int, share: int = 0, shares: int = 1
) -> Batches[Batch]:
    """Return the batches of steps `start` … `stop` - 1: passes over all triples, each in a new order.

    If `shares` devices train together, each takes every `shares`-th triple of a batch, from number `share` on.
    """

    def read(chosen: NDArray[np.integer], shuffle: np.random.Generator) -> Batch:
        return triples.batch(chosen[share::shares], shuffle)

    return in_epochs(read, len(triples), size, seed, range(start, stop))


def validation_batches(triples: Triples, size: int) -> Batches[Batch]:
    """Return all triples once, in order, always with the same vertex shuffles."""
    return in_order(
        lambda chosen: triples.batch(chosen, np.random.default_rng(chosen[0])), len(triples), size
    )
