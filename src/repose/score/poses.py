"""Score made-up poses as a set: against the test poses of the same body, which no training has seen.

Coverage, minimum matching distance and 1-NN accuracy as for point clouds (Yang et al., PointFlow, ICCV 2019), with the
point-wise mesh distance in the place of Chamfer's: all meshes of a body share their vertices.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from repose.data.meshes import centred
from repose.mesh.operators import unique_edges
from repose.predict.bodies import Known
from repose.predict.read_poses import made_up
from repose.store.mesh_store import MeshStore

METRICS = (
    "coverage",
    "mmd_m2",
    "one_nn_accuracy",
    "spread_m2",
    "to_training_m2",
    "real_to_training_m2",
    "edge_error",
)


def score_poses(predictions: Path, store: MeshStore, splits: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Compare the made-up poses of each body with its test poses.

    Args:
        predictions: of the stage `predict`.
        store: the true bodies.
        splits: the parts `train` and `unseen`.

    Returns:
        Columns protocol, identity, metric, value; the unit is in the metric's name:

        * coverage: share of the test poses that are nearest to some made-up pose; 1 is best.
        * mmd_m2: mean distance of a test pose to the nearest made-up pose.
        * one_nn_accuracy: how often the nearest of all other poses says whether a pose is made up; 0.5 is best.
        * spread_m2: mean distance of two made-up poses.
        * to_training_m2: mean distance of a made-up pose to the nearest training pose of the body; 0: copied.
        * real_to_training_m2: the same of the test poses, for comparison.
        * edge_error: mean over edges of | length / length in the body's mean over training poses - 1 |.

    Raises:
        ReposeError: the predictions are of other bodies than the split's.
    """
    rows = []
    for protocol, body, made in made_up(predictions, store, splits):
        for metric, value in _values(made, body, store).items():
            rows.append((protocol, body.identity, metric, value))
    return pd.DataFrame(rows, columns=["protocol", "identity", "metric", "value"])


def distances(a: Tensor, b: Tensor) -> Tensor:
    """PMD (N, M), m², of centred meshes (N, V, 3) and (M, V, 3)."""
    return torch.stack([(mesh - b).square().mean(dim=(1, 2)) for mesh in a])


def coverage(across: Tensor) -> float:
    """Share of the M real ones that are nearest to one of the N made-up ones, by distances (N, M)."""
    return len(across.argmin(dim=1).unique()) / across.shape[1]


def one_nn_accuracy(made: Tensor, real: Tensor, across: Tensor) -> float:
    """Leave-one-out accuracy of the nearest neighbour in telling the two sets, by their distances."""
    among = torch.cat([torch.cat([made, across], dim=1), torch.cat([across.T, real], dim=1)])
    among.fill_diagonal_(torch.inf)
    is_made = torch.arange(len(among)) < len(made)
    return float((is_made[among.argmin(dim=1)] == is_made).double().mean())


def _values(made: Tensor, body: Known, store: MeshStore) -> dict[str, float]:
    real, training = (centred(store.vertices(rows)) for rows in (body.held_out, body.training))
    across, own = distances(made, real), distances(made, made)
    edges = torch.from_numpy(unique_edges(store.faces)).long()
    lengths = (training[:, edges[:, 0]] - training[:, edges[:, 1]]).norm(dim=-1).mean(dim=0)
    found = (made[:, edges[:, 0]] - made[:, edges[:, 1]]).norm(dim=-1)
    pairs = max(1, len(made) * (len(made) - 1))
    values = (
        coverage(across),
        float(across.min(dim=0).values.mean()),
        one_nn_accuracy(own, distances(real, real), across),
        float(own.sum() / pairs),
        float(distances(made, training).min(dim=1).values.mean()),
        float(distances(real, training).min(dim=1).values.mean()),
        float((found / lengths - 1).abs().mean()),
    )
    return dict(zip(METRICS, values, strict=True))
