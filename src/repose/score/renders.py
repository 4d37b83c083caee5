"""Judge predicted meshes by pictures of them: a row per body and metric.

The columns are those of the scores of the same predictions, beside which a table reads them.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from repose.convert.catalog import mesh_numbers
from repose.data.meshes import centred
from repose.mesh.metrics import bbox_centred
from repose.methods.scorers.render_scorer import RenderScorer
from repose.predict.read_meshes import TRIPLE, transfers
from repose.predict.read_poses import made_up
from repose.score.render_metrics import render_values
from repose.store.mesh_store import MeshStore


def judge_transfers(
    predictions: Path, store: MeshStore, protocol: str, triples: pd.DataFrame, scorer: RenderScorer
) -> pd.DataFrame:
    """Compare pictures of transfers with pictures of their truths, body by body.

    Args:
        predictions: of the stage `predict`.
        store: the true bodies.
        protocol: which group of the predictions.
        triples: the test triples.
        scorer: what judges, in evaluation mode.

    Returns:
        Columns protocol, identity_mesh, pose_mesh, truth_mesh, metric, value; `identity_mesh` names the body, and no
        mesh stands beside it. The metrics are those of `repose.score.render_metrics`.

    Raises:
        ReposeError: the predictions are of other triples than the split's, or as `render_values` says.
    """
    out = transfers(predictions, protocol, triples)
    truth = centred(store.vertices(triples.truth_mesh.map(store.index_of).to_numpy()))
    bodies = triples.identity_mesh.map(lambda name: mesh_numbers(name)[0]).to_numpy()
    rows = []
    for body in np.unique(bodies).tolist():
        own = torch.from_numpy(bodies == body)
        values = render_values(scorer, body, bbox_centred(out[own]), truth[own], store.faces)
        rows += [(protocol, f"id{body}", "", "", metric, value) for metric, value in values.items()]
    return pd.DataFrame(rows, columns=["protocol", *TRIPLE, "metric", "value"])


def judge_poses(
    predictions: Path, store: MeshStore, splits: Mapping[str, pd.DataFrame], scorer: RenderScorer
) -> pd.DataFrame:
    """Compare pictures of the made-up poses of each body with pictures of its test poses.

    Args:
        predictions: of the stage `predict`.
        store: the true bodies.
        splits: the parts `train` and `unseen`.
        scorer: what judges, in evaluation mode.

    Returns:
        Columns protocol, identity, metric, value. The metrics are those of `repose.score.render_metrics`.

    Raises:
        ReposeError: the predictions are of other bodies than the split's, or as `render_values` says.
    """
    rows = []
    for protocol, body, made in made_up(predictions, store, splits):
        real = centred(store.vertices(body.held_out))
        values = render_values(scorer, body.identity, made, real, store.faces)
        rows += [(protocol, body.identity, metric, value) for metric, value in values.items()]
    return pd.DataFrame(rows, columns=["protocol", "identity", "metric", "value"])
