"""Run a trained method, or a baseline, over the test triples of each protocol."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import zarr
from numpy.typing import NDArray

from repose.columns import INPUTS, TRIPLE
from repose.data.meshes import Triples, validation_batches
from repose.errors import ReposeError
from repose.mesh.finish import Finish
from repose.mesh.projection import finished
from repose.methods.interface import Faces, TransferNetwork
from repose.methods.settings import MethodSettings
from repose.methods.shuffle import transfer_shuffled
from repose.progress import track
from repose.store.mesh_store import MeshStore

BATCH = 10


def predict(
    method: MethodSettings,
    network: TransferNetwork,
    store: Path,
    splits: Mapping[str, pd.DataFrame],
    device: str,
    out: Path,
    label: str,
) -> None:
    """Write the predicted vertices of every test triple, after the projection that the method asks for.

    The store has a group per protocol: `vertices` (triples, V, 3) float32 in metres, in the identity mesh's vertex
    order, about the middle of its bounding box as the network sees it, and the attribute `triples`, the mesh ids
    (identity, pose, truth) of each row. Rows may share a truth; identity and pose together are the key.

    Raises:
        ReposeError: a triple is given twice, or the network predicts vertices that are not finite.
    """
    bodies, root = MeshStore(store), zarr.create_group(out, attributes={"units": "m"})
    for protocol, triples in splits.items():
        _check_distinct(triples, protocol)
        vertices = predicted(network, bodies, triples, device, f"{label} {protocol}", method.projection)
        group = root.create_group(protocol, attributes={"triples": triples[TRIPLE].to_numpy().tolist()})
        group.create_array("vertices", data=vertices, chunks=(BATCH, *vertices.shape[1:]))


@torch.inference_mode()
def predicted(
    network: TransferNetwork,
    store: MeshStore,
    triples: pd.DataFrame,
    device: str,
    label: str,
    finish: Finish = "none",
) -> NDArray[np.float32]:
    """Predicted vertices of some triples (triples, V, 3), metres, after a projection.

    Raises:
        ReposeError: the network predicts vertices that are no numbers.
    """
    batches = validation_batches(Triples(store, triples, network.rest_pose, network.unit_area), BATCH)
    parts = []
    for batch in track(batches, len(batches), label):
        identity, pose, order, pose_order = (
            x.to(device) for x in (batch.identity, batch.pose, batch.identity_order, batch.pose_order)
        )
        rests = batch.rests and batch.rests.to(device)
        faces = Faces(batch.faces.to(device), batch.faces.to(device))
        found = transfer_shuffled(network, identity, pose, order, pose_order, faces, rests)
        if batch.side is not None:
            side = batch.side.to(device)
            identity, pose, found = identity * side, pose * side, found.times(side)
        done = finished(finish, identity, store.faces, pose, store.faces, found.vertices, found.warp)
        parts.append(done.cpu().numpy())
    vertices = np.concatenate(parts)
    if not np.isfinite(vertices).all():
        raise ReposeError(f"{label} predicts vertices that are no numbers")
    return vertices


def _check_distinct(triples: pd.DataFrame, protocol: str) -> None:
    twice = triples[triples.duplicated(INPUTS)]
    if len(twice):
        row = twice.iloc[0]
        raise ReposeError(f"the {protocol} triples have {row.identity_mesh} with {row.pose_mesh} twice")
