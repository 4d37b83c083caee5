"""Score predictions: a row per test triple and metric, and, where pictures are judged, per body and metric."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
import zarr
from torch import Tensor

from repose.convert.catalog import mesh_numbers
from repose.errors import ReposeError
from repose.mesh.metrics import bbox_centred, chamfer, edge_error, mpve_mm, pmd
from repose.mesh.operators import unique_edges
from repose.models.render_scorer import RenderScorer
from repose.score.renders import render_values
from repose.store.meshes import MeshStore
from repose.train.batches import centred

METRICS = ("pmd_m2", "cd_m2", "mpve_mm", "edge_error")
TRIPLE = ["identity_mesh", "pose_mesh", "truth_mesh"]
JUDGED = "one-source"  # the protocol whose transfers a scorer judges


def score(
    predictions: Path,
    store: MeshStore,
    protocol: str,
    triples: pd.DataFrame,
    scorer: RenderScorer | None = None,
) -> pd.DataFrame:
    """Compare the predictions of one protocol with the truth.

    Args:
        predictions: of the stage `predict`.
        store: the true bodies.
        protocol: which group of the predictions.
        triples: the test triples.
        scorer: what judges pictures of transfers from one source, in evaluation mode; None: nobody does.

    Returns:
        Columns protocol, identity_mesh, pose_mesh, truth_mesh, metric, value; the unit is in the metric's name. Rows of
        the metrics of `repose.score.renders` are of a body: `identity_mesh` says which, and no mesh stands beside it.

    Raises:
        ReposeError: the predictions are of other triples than the split's.
    """
    if (
        zarr.open_group(predictions / protocol, mode="r").attrs["triples"]
        != triples[TRIPLE].to_numpy().tolist()
    ):
        raise ReposeError(f"predictions are of other {protocol} triples than the split's", where=predictions)
    out = torch.from_numpy(np.asarray(zarr.open_array(predictions / protocol / "vertices", mode="r")[:]))
    rows = triples[["identity_mesh", "truth_mesh"]].map(store.index_of).to_numpy()
    identity, truth = (centred(store.vertices(rows[:, k])) for k in range(2))
    edges = torch.from_numpy(unique_edges(store.faces)).long()
    values = {
        "pmd_m2": pmd(out, truth),
        "cd_m2": chamfer(out, truth),
        "mpve_mm": mpve_mm(out, truth),
        "edge_error": edge_error(out, identity, edges),
    }
    wide = triples[TRIPLE].assign(protocol=protocol, **{name: values[name].numpy() for name in METRICS})
    rows = wide.melt(["protocol", *TRIPLE], METRICS, var_name="metric", value_name="value")
    if scorer is None or protocol != JUDGED:
        return rows
    return pd.concat([rows, _judged(scorer, out, truth, triples, store, protocol)], ignore_index=True)


def _judged(
    scorer: RenderScorer, out: Tensor, truth: Tensor, triples: pd.DataFrame, store: MeshStore, protocol: str
) -> pd.DataFrame:
    bodies = triples.identity_mesh.map(lambda name: mesh_numbers(name)[0]).to_numpy()
    rows = []
    for body in np.unique(bodies).tolist():
        own = torch.from_numpy(bodies == body)
        values = render_values(scorer, body, bbox_centred(out[own]), truth[own], store.faces)
        rows += [(protocol, f"id{body}", "", "", metric, value) for metric, value in values.items()]
    return pd.DataFrame(rows, columns=["protocol", *TRIPLE, "metric", "value"])
