"""Stage `predict`: weights and test lists → predicted vertices, images, or generated poses."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from repose import specs
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
        import torch  # takes seconds to import, which a finished result does not need

        from repose.cards import take
        from repose.device import device_of
        from repose.methods.build import count_parameters
        from repose.predict.network import load_network

        torch.set_num_threads(compute.threads)
        if compute.device != "cpu":
            take(1)
        network = load_network(method, model)
        device = device_of(compute).type
        rows = {protocol: read_rows(split) for protocol, split in splits.items()}
        with new.file(out) as private:
            label = " ".join(out.with_suffix("").parts[-3:])
            medium = import_module(f"repose.predict.{method.medium}")
            medium.run(method, network, store, rows, device, private, label)
        new.describe = {"protocols": sorted(splits), "parameters": count_parameters(network)}
