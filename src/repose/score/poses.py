"""Scores of generated poses: one row per body and metric.

The poses of a body are compared as a set with the test poses of the same body, which no training has seen.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from repose.data.meshes import centred
from repose.mesh.metrics import edge_lengths
from repose.mesh.operators import unique_edges
from repose.metrics.metric import measured
from repose.metrics.poses import METRICS
from repose.predict.bodies import IdentityRows
from repose.predict.read_poses import generated_poses
from repose.store.mesh_store import MeshStore


class GeneratedPoses:
    """The N generated poses of one body, with its M test and T training poses: the quantities of the metrics.

    Distances between poses are PMD, in m².

    Args:
        generated: (N, V, 3) metres, each about the middle of its box.
        body: the rows of its true poses in the store.
        store: the true bodies.
    """

    def __init__(self, generated: Tensor, body: IdentityRows, store: MeshStore):
        self.generated = generated
        self._body, self._store = body, store

    @cached_property
    def true(self) -> Tensor:
        """The test poses, (M, V, 3) metres, each about the middle of its box."""
        return centred(self._store.vertices(self._body.held_out))

    @cached_property
    def training(self) -> Tensor:
        """The training poses, (T, V, 3) metres, each about the middle of its box."""
        return centred(self._store.vertices(self._body.training))

    @cached_property
    def generated_to_true(self) -> Tensor:
        """Distances (N, M)."""
        return distances(self.generated, self.true)

    @property
    def true_to_generated(self) -> Tensor:
        """Distances (M, N)."""
        return self.generated_to_true.T

    @cached_property
    def among_generated(self) -> Tensor:
        """Distances (N, N)."""
        return distances(self.generated, self.generated)

    @cached_property
    def among_true(self) -> Tensor:
        """Distances (M, M)."""
        return distances(self.true, self.true)

    @cached_property
    def generated_to_training(self) -> Tensor:
        """Distances (N, T)."""
        return distances(self.generated, self.training)

    @cached_property
    def true_to_training(self) -> Tensor:
        """Distances (M, T)."""
        return distances(self.true, self.training)

    @cached_property
    def edges(self) -> Tensor:
        """The undirected edges that all meshes share: (E, 2) int64, numbers of vertices."""
        return torch.from_numpy(unique_edges(self._store.faces)).long()

    @cached_property
    def mean_lengths(self) -> Tensor:
        """The length of each edge, mean over the training poses: (E,) metres."""
        return edge_lengths(self.training, self.edges).mean(dim=0)


def score(predictions: Path, store: Path, parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Compare the generated poses of each body with its test poses.

    Args:
        predictions: output of the stage `predict`.
        store: the true bodies.
        parts: the parts `train` and `unseen` of the split.

    Returns:
        Columns protocol, identity, metric, value. The metrics and their units are those of
        `repose.metrics.poses`.

    Raises:
        ReposeError: the predictions are of other bodies than the split's.
    """
    bodies, rows = MeshStore(store), []
    for protocol, body, meshes in generated_poses(predictions, bodies, parts):
        for metric, value in measured(METRICS, GeneratedPoses(meshes, body, bodies)).items():
            rows.append((protocol, body.identity, metric, value))
    return pd.DataFrame(rows, columns=["protocol", "identity", "metric", "value"])


def distances(a: Tensor, b: Tensor) -> Tensor:
    """Return the PMD (N, M), m², of centred meshes (N, V, 3) and (M, V, 3), metres."""
    return torch.stack([(mesh - b).square().mean(dim=(1, 2)) for mesh in a])


def coverage(across: Tensor) -> float:
    """Return the share of the M true poses that are nearest to some of the N generated ones, by distances (N, M)."""
    return len(across.argmin(dim=1).unique()) / across.shape[1]


def one_nn_accuracy(generated: Tensor, true: Tensor, across: Tensor) -> float:
    """Return the accuracy with which a pose's nearest neighbour tells whether the pose is generated.

    Args:
        generated, true: distances within each set, (N, N) and (M, M).
        across: distances (N, M).
    """
    among = torch.cat([torch.cat([generated, across], dim=1), torch.cat([across.T, true], dim=1)])
    among.fill_diagonal_(torch.inf)
    is_generated = torch.arange(len(among)) < len(generated)
    return float((is_generated[among.argmin(dim=1)] == is_generated).double().mean())


def mean_to_nearest(across: Tensor) -> float:
    """Return the mean over N poses of the distance to the nearest of M others, by distances (N, M)."""
    return float(across.min(dim=1).values.mean())


def mean_of_pairs(among: Tensor) -> float:
    """Return the mean distance between two of N poses, by distances (N, N); 0 for a single pose."""
    return float(among.sum() / max(1, len(among) * (len(among) - 1)))


def edge_error(meshes: Tensor, lengths: Tensor, edges: Tensor) -> float:
    """Return the mean over meshes and edges of | length / expected length - 1 |.

    Args:
        meshes: (N, V, 3) metres.
        lengths: expected lengths, (E,) metres.
        edges: (E, 2).
    """
    return float((edge_lengths(meshes, edges) / lengths - 1).abs().mean())
