"""Stage `report`: from predictions to results/figures/{table}.png."""

from collections.abc import Mapping
from pathlib import Path

from repose.medium import module_of
from repose.provenance.making import making
from repose.report.shown import Shown
from repose.specs import Spec


def run(spec: Spec, inputs: Mapping[str, Path], out: Path) -> None:
    """Draw every method of a table on one protocol of each dataset.

    Args:
        spec: what decides the figure: the protocol that is shown, by dataset and method.
        inputs: `predictions:{dataset}/{method}` and `store:{dataset}`.
        out: the PNG.
    """
    medium = module_of("repose.report", spec.params["medium"])
    with making(spec, out, inputs, keep=0, later=inputs) as new:
        shown = [
            Shown(
                dataset,
                method,
                inputs[f"predictions:{dataset}/{method}"] / protocol,
                medium.open_store(inputs[f"store:{dataset}"]),
            )
            for dataset, methods in spec.params["shown"].items()
            for method, protocol in methods.items()
        ]
        with new.file(out) as private:
            private.write_bytes(medium.draw(shown))
