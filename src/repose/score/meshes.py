"""Score predictions: a row per test triple and metric."""

from pathlib import Path

import pandas as pd
import torch

from repose.data.meshes import centred
from repose.mesh.metrics import chamfer, edge_error, mpve_mm, pmd
from repose.mesh.operators import unique_edges
from repose.predict.read_meshes import TRIPLE, transfers
from repose.store.mesh_store import MeshStore

METRICS = ("pmd_m2", "cd_m2", "mpve_mm", "edge_error")


def score(predictions: Path, store: MeshStore, protocol: str, triples: pd.DataFrame) -> pd.DataFrame:
    """Compare the predictions of one protocol with the truth.

    Args:
        predictions: of the stage `predict`.
        store: the true bodies.
        protocol: which group of the predictions.
        triples: the test triples.

    Returns:
        Columns protocol, identity_mesh, pose_mesh, truth_mesh, metric, value; the unit is in the metric's name.

    Raises:
        ReposeError: the predictions are of other triples than the split's.
    """
    out = transfers(predictions, protocol, triples)
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
    return wide.melt(["protocol", *TRIPLE], METRICS, var_name="metric", value_name="value")
