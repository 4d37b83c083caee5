"""Stage `predict`: weights and test lists → predicted vertices, images, or generated poses."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from repose import specs
from repose.medium import module_of
from repose.provenance.making import making
from repose.reading import read_rows

if TYPE_CHECKING:
    from repose.config.models import Compute
    from repose.methods.settings import MethodSettings


def run(
    method: "MethodSettings",
    compute: "Compute",
    store: Path,
    splits: Mapping[str, Path],
    model: Path | None,
    out: Path,
) -> None:
    """Write the predictions of every protocol in `splits` to the Zarr store `out`."""
    inputs = {"store": store, **splits, **({"run": model} if model else {})}
    with making(specs.predict(method, compute), out, inputs, later=("store",)) as new:
        if new.finished:
            return
        from repose.methods.build import count_parameters
        from repose.predict.network import (
            opened,  # loads torch: seconds, which a finished result does not need
        )

        network, device = opened(method, model, compute)
        rows = {protocol: read_rows(split) for protocol, split in splits.items()}
        with new.file(out) as private:
            label = " ".join(out.with_suffix("").parts[-3:])
            predict = module_of("repose.predict", method.medium).predict
            predict(method, network, store, rows, device, private, label)
        new.describe = {"protocols": sorted(splits), "parameters": count_parameters(network)}
