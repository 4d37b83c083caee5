"""Generate poses of the body that was learned from, and for the test identities."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import zarr

from repose.convert.catalog import mesh_id
from repose.data.meshes import centred
from repose.errors import ReposeError
from repose.methods.interface import PoseGenerator, RestBody
from repose.methods.settings import MethodSettings
from repose.predict.bodies import bodies_of
from repose.progress import track
from repose.store.mesh_store import MeshStore


@torch.inference_mode()
def predict(
    method: MethodSettings,
    network: PoseGenerator,
    store: Path,
    splits: Mapping[str, pd.DataFrame],
    device: str,
    out: Path,
    label: str,
) -> None:
    """Write as many new poses of each body as it has test poses.

    The store has a group per protocol, `own-body` and `new-body`: `vertices` (meshes, V, 3) float32, metres, and the
    attribute `identities`, whose body each mesh is. Each body gets draws of its own, always the same.

    Raises:
        ReposeError: a body is missing at rest, or the network's output is not finite.
    """
    meshes, root = MeshStore(store), zarr.create_group(out, attributes={"units": "m"})
    faces = torch.from_numpy(meshes.faces).long().to(device)
    for protocol, bodies in bodies_of(meshes, splits, method.source).items():
        parts, names = [], []
        for known in track(bodies, len(bodies), f"{label} {protocol}"):
            at_rest = meshes.index_of(mesh_id(known.identity, network.rest_pose))
            (rest,) = centred(meshes.vertices(np.array([at_rest]))).to(device)
            true = centred(meshes.vertices(known.training)).to(device) if network.oracle else None
            draw, body = torch.Generator().manual_seed(known.identity), RestBody(rest, faces, true)
            made = network.make(body, len(known.held_out), draw).float().cpu().numpy()
            if not np.isfinite(made).all():
                raise ReposeError(f"{label} makes poses that are no numbers ({protocol})")
            parts.append(made)
            names += [known.identity] * len(made)
        vertices = np.concatenate(parts)
        group = root.create_group(protocol, attributes={"identities": names})
        group.create_array("vertices", data=vertices, chunks=(min(10, len(vertices)), *vertices.shape[1:]))
