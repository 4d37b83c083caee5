"""Scores of transfers between meshes: one row per test triple and metric."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from repose.columns import TRIPLE
from repose.data.meshes import centred
from repose.mesh.operators import unique_edges
from repose.metrics.meshes import METRICS
from repose.metrics.metric import measured
from repose.predict.read_meshes import transfers
from repose.store.mesh_store import MeshStore


class Transfers:
    """Predicted transfers of N triples and their references: the quantities that metrics are computed from.

    Args:
        predicted: (N, V, 3) metres.
        store: the true bodies.
        triples: the triples, in the order of `predicted`.
    """

    def __init__(self, predicted: Tensor, store: MeshStore, triples: pd.DataFrame):
        self.predicted = predicted
        self._store, self._triples = store, triples

    @cached_property
    def truth(self) -> Tensor:
        """(N, V, 3) metres, each about the middle of its box."""
        return self._meshes("truth_mesh")

    @cached_property
    def identity(self) -> Tensor:
        """The identity meshes, (N, V, 3) metres, each about the middle of its box."""
        return self._meshes("identity_mesh")

    @cached_property
    def edges(self) -> Tensor:
        """The undirected edges that all meshes share: (E, 2) int64, numbers of vertices."""
        return torch.from_numpy(unique_edges(self._store.faces)).long()

    def _meshes(self, column: str) -> Tensor:
        rows = self._triples[column].map(self._store.index_of).to_numpy()
        return centred(self._store.vertices(rows))


def score(predictions: Path, store: Path, parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Compare predictions with the truth, test list by test list.

    Args:
        predictions: output of the stage `predict`.
        store: the true bodies.
        parts: the triples of each test list, by its name.

    Returns:
        Columns protocol (the test list), identity_mesh, pose_mesh, truth_mesh, metric, value. The metrics and their
        units are those of `repose.metrics.meshes`.

    Raises:
        ReposeError: the predictions are of other triples than the lists.
    """
    bodies, scored = MeshStore(store), []
    for protocol, triples in parts.items():
        sample = Transfers(transfers(predictions, protocol, triples), bodies, triples)
        values = {name: found.numpy() for name, found in measured(METRICS, sample).items()}
        wide = triples[TRIPLE].assign(protocol=protocol, **values)
        scored.append(wide.melt(["protocol", *TRIPLE], list(values), var_name="metric", value_name="value"))
    return pd.concat(scored, ignore_index=True)
