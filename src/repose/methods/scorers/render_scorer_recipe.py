"""Training of the scorer of posed bodies on renders of true bodies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from repose.convert.catalog import mesh_id, mesh_numbers
from repose.data.batches import Batches, in_epochs, in_order
from repose.data.meshes import centred
from repose.data.unlabelled import Numbers
from repose.errors import ReposeError
from repose.methods.recipe import TrainingRecipe
from repose.methods.scorers.render_scorer import VIEWS, RenderScorer, as_input, render_mesh
from repose.methods.settings import LearnedMethod
from repose.store.mesh_store import MeshStore

_AIR = 1.05  # margin around the largest body
_VALIDATION_BATCH = 64


class RenderBatch(NamedTuple):
    """Images, and which body each shows."""

    image: Tensor  # (B, 1, H, W)
    body: Tensor  # (B,) int64, position in `identities`


@dataclass(frozen=True)
class ScoredBodies:
    """The bodies that methods are scored on, in two sets of poses: rows (identities, poses) of a store."""

    store: MeshStore
    identities: list[int]
    train: NDArray[np.int64]
    val: NDArray[np.int64]


class RenderScorerRecipe(TrainingRecipe):
    """Train on the cross entropy of the body."""

    metric = "val_cross_entropy"
    open = MeshStore
    network: RenderScorer

    def __init__(self, method: LearnedMethod, network: RenderScorer, data: ScoredBodies, seed: int):
        super().__init__(method, network, data, seed)
        largest = max(float(centred(data.store.vertices(rows)).abs().max()) for rows in data.train)
        network.learn_bodies(data.identities, _AIR * largest)
        self.train_renders, self.val_renders = (
            _RenderedMeshes(data.store, rows, _AIR * largest) for rows in (data.train, data.val)
        )

    @classmethod
    def read(cls, method: LearnedMethod, store: MeshStore, splits: pd.DataFrame) -> ScoredBodies:
        """Read the first training identity, and the test identities, which neither training nor validation has.

        A scorer must know the bodies that it scores. It sees them in training and validation poses, never in a test
        pose.

        Raises:
            ReposeError: no identity is left for the tests, or one of them is missing in a pose.
        """
        train, val = (Numbers.seen_in(splits[splits.role == role]) for role in ("train", "val"))
        there = {mesh_numbers(name)[0] for name in store.mesh_ids}
        tests = sorted(there - train.identities - val.identities)
        if not tests:
            raise ReposeError(
                "all identities are in training or validation: nobody is left to score", store.path
            )
        identities = [min(train.identities), *tests]
        rows = (
            np.array([[store.index_of(mesh_id(i, p)) for p in sorted(part.poses)] for i in identities])
            for part in (train, val)
        )
        return ScoredBodies(store, identities, *rows)

    def batches(self, start: int, stop: int) -> Batches[RenderBatch]:
        """Yield renders of all bodies in all training poses from all sides."""
        renders, size = self.train_renders, self.settings.batch

        def read(chosen: NDArray[np.integer], _: np.random.Generator) -> RenderBatch:
            return renders.batch(chosen)

        return in_epochs(read, len(renders), size, self.seed, range(start, stop))

    def val_dataloader(self) -> DataLoader[Any]:
        """Return renders of all bodies in all validation poses."""
        renders = self.val_renders
        return DataLoader(in_order(renders.batch, len(renders), _VALIDATION_BATCH), batch_size=None)

    def training_step(self, batch: RenderBatch, index: int) -> Tensor:
        """Return the mean cross entropy of a batch."""
        return F.cross_entropy(self.network(batch.image).logits, batch.body)


class _RenderedMeshes:
    """Renders of bodies (identities, poses) from all sides; a mesh is rendered when it is first asked for."""

    def __init__(self, store: MeshStore, rows: NDArray[np.int64], half_height: float):
        self.store, self.rows, self.half_height = store, rows, half_height
        self.kept: dict[int, NDArray[np.uint8]] = {}

    def __len__(self) -> int:
        return self.rows.size * len(VIEWS)

    def batch(self, chosen: NDArray[np.integer]) -> RenderBatch:
        bodies = torch.from_numpy(chosen // (len(self) // len(self.rows)))
        seen = [self._of_mesh(int(k) // len(VIEWS))[k % len(VIEWS)] for k in chosen]
        return RenderBatch(as_input(np.stack(seen)), bodies)

    def _of_mesh(self, number: int) -> NDArray[np.uint8]:
        if number not in self.kept:
            mesh = centred(self.store.vertices(self.rows.reshape(-1)[[number]]))[0].numpy()
            self.kept[number] = render_mesh(mesh, self.store.faces, self.half_height)
        return self.kept[number]
