"""Read generated poses, and check that they are of the given split."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from repose.errors import ReposeError
from repose.mesh.metrics import bbox_centred
from repose.predict.bodies import IdentityRows, bodies_of
from repose.protocols import OWN_BODY
from repose.provenance.stated import Stated, stated
from repose.reading import foreign
from repose.store.arrays import read_array, read_meta
from repose.store.mesh_store import MeshStore


class Generated(NamedTuple):
    """The poses that a method generated for one body."""

    protocol: str
    body: IdentityRows
    meshes: Tensor  # (N, V, 3) metres, each about the middle of its box


def generated_poses(
    predictions: Path, store: MeshStore, splits: Mapping[str, pd.DataFrame]
) -> Iterator[Generated]:
    """Yield the generated poses, body by body.

    Args:
        predictions: predictions of a pose generator.
        store: the true bodies.
        splits: the parts `train` and `unseen`.

    Raises:
        ReposeError: the predictions are of other bodies than the split's.
    """
    files = stated(predictions)
    for protocol, bodies in bodies_of(store, splits, _identities(predictions, OWN_BODY, files)[0]).items():
        names = np.array(_identities(predictions, protocol, files))
        if names.tolist() != [b.identity for b in bodies for _ in b.held_out]:
            raise ReposeError(f"predictions are of other bodies than the split's ({protocol})", predictions)
        vertices = read_array(predictions / protocol / "vertices", files)
        for body in bodies:
            own = torch.from_numpy(vertices[names == body.identity])
            yield Generated(protocol, body, bbox_centred(own))


def _identities(predictions: Path, protocol: str, files: Stated) -> list[int]:
    meta = read_meta(predictions / protocol, files)
    with foreign(predictions, "not predictions of poses"):
        found = [int(identity) for identity in meta["attributes"]["identities"]]
        if not found:
            raise ValueError("of nobody")
        return found
