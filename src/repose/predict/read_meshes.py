"""Read predicted transfers, and check that they are of the given split."""

from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from repose.columns import TRIPLE
from repose.errors import ReposeError
from repose.provenance.stated import stated
from repose.reading import foreign
from repose.store.arrays import read_array, read_meta


def transfers(predictions: Path, protocol: str, triples: pd.DataFrame) -> Tensor:
    """Return the predicted vertices (N, V, 3), metres, of N triples.

    Raises:
        ReposeError: the predictions are of other triples than the split's.
    """
    files = stated(predictions)
    meta = read_meta(predictions / protocol, files)
    with foreign(predictions, "not predictions of meshes"):
        given = meta["attributes"]["triples"]
    if given != triples[TRIPLE].to_numpy().tolist():
        raise ReposeError(f"predictions are of other {protocol} triples than the split's", where=predictions)
    return torch.from_numpy(read_array(predictions / protocol / "vertices", files))
