"""Generated poses read again, with the check that they are of the split at hand."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
import zarr
from torch import Tensor

from repose.errors import ReposeError
from repose.mesh.metrics import bbox_centred
from repose.predict.bodies import Known, bodies_of
from repose.protocols import OWN_BODY
from repose.store.arrays import read_array
from repose.store.mesh_store import MeshStore


class Generated(NamedTuple):
    """The poses that a method generated for one body."""

    protocol: str
    body: Known
    meshes: Tensor  # (N, V, 3) metres, each about the middle of its box


def generated_poses(
    predictions: Path, store: MeshStore, splits: Mapping[str, pd.DataFrame]
) -> Iterator[Generated]:
    """What was generated, body by body.

    Args:
        predictions: of a method that generates poses.
        store: the true bodies.
        splits: the parts `train` and `unseen`.

    Raises:
        ReposeError: the predictions are of other bodies than the split's.
    """
    source = zarr.open_group(predictions / OWN_BODY, mode="r").attrs["identities"][0]  # type: ignore[index]
    for protocol, bodies in bodies_of(store, splits, int(source)).items():  # type: ignore[arg-type]
        names = np.array(zarr.open_group(predictions / protocol, mode="r").attrs["identities"])
        if names.tolist() != [b.identity for b in bodies for _ in b.held_out]:
            raise ReposeError(f"predictions are of other bodies than the split's ({protocol})", predictions)
        vertices = read_array(predictions / protocol / "vertices")
        for body in bodies:
            own = torch.from_numpy(vertices[names == body.identity])
            yield Generated(protocol, body, bbox_centred(own))
