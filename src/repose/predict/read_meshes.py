"""Predicted transfers read again, with the check that they are of the split at hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
import zarr
from torch import Tensor

from repose.errors import ReposeError

TRIPLE = ["identity_mesh", "pose_mesh", "truth_mesh"]


def transfers(predictions: Path, protocol: str, triples: pd.DataFrame) -> Tensor:
    """Predicted vertices (N, V, 3), metres, of each of N triples.

    Raises:
        ReposeError: the predictions are of other triples than the split's.
    """
    group = zarr.open_group(predictions / protocol, mode="r")
    if group.attrs["triples"] != triples[TRIPLE].to_numpy().tolist():
        raise ReposeError(f"predictions are of other {protocol} triples than the split's", where=predictions)
    return torch.from_numpy(np.asarray(zarr.open_array(predictions / protocol / "vertices", mode="r")[:]))
