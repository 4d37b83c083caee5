"""Predictions made again from the weights, to see that what lies there is what the method predicts.

If somebody replaces predictions by the truths, and lets the workflow remake everything behind them, the chain of
manifests has no fault. Baselines are predicted again whole; of a learned method the first test rows of each list are,
which cost seconds.
"""

from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import zarr
from numpy.typing import NDArray
from pydantic import TypeAdapter

from repose.config.models import Method
from repose.predict.network import load_network
from repose.provenance.manifest import Manifest
from repose.provenance.stated import stated
from repose.reading import read_rows
from repose.score.artefact import inputs_of
from repose.store.arrays import StoredArray

ROWS = 10  # of each list, predicted again of a learned method: a whole batch, as batch norms may depend on it
TOLERANCE = {
    "vertices": 1e-4,  # metres, in the mean; float32 on another machine
    "flow": 0.05,  # pixels
    "image": 1.0,  # of 255
    "visibility": 0.01,
    "share": 1.0,
}


def differs_from_network(predictions: Manifest) -> list[str]:
    """Predict again and say where the mean difference is more than rounding; nothing is hashed.

    Args:
        predictions: their manifest; the store, the splits and the weights are those that it names.
    """
    inputs = inputs_of(predictions)
    store, weights = inputs.pop("store"), inputs.pop("run", None)
    method: Method = TypeAdapter(Method).validate_python(predictions.history["params"]["method"])
    # Generated poses are of the bodies of a whole list.
    rows = ROWS if method.learned and method.medium != "poses" else None
    splits = {protocol: read_rows(path).head(rows) for protocol, path in inputs.items()}
    network = load_network(method, weights)
    (name,) = predictions.content["files"]
    with TemporaryDirectory() as folder:
        fresh = Path(folder) / "fresh.zarr"
        medium = import_module(f"repose.predict.{method.medium}")
        medium.run(method, network, store, splits, "cpu", fresh, f"again {predictions.content['place']}")
        return _differences(predictions.path.parent / name, fresh)


def _differences(stored: Path, fresh: Path) -> list[str]:
    faults, files = [], stated(stored)
    for protocol, group in zarr.open_group(fresh, mode="r").groups():
        for array, values in group.arrays():
            again = np.asarray(values[:])
            there = StoredArray(stored / protocol / array, files).rows(0, len(again))
            error = _mean_difference(there, again)
            if not error <= TOLERANCE[array]:
                faults.append(
                    f"{protocol}/{array} differs from what the method predicts, by {error:.3g} in the mean"
                )
    return faults


def _mean_difference(a: NDArray, b: NDArray) -> float:
    if a.shape != b.shape:
        return float("inf")
    return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).mean())
