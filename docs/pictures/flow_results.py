"""Draw docs/pictures/flow-results.png from finished runs of tables 2 and 3: what each method makes of a few test pairs.

python docs/pictures/flow_results.py results
"""

import sys
from pathlib import Path

from repose.provenance.publish import publish
from repose.report.images import draw
from repose.report.shown import Shown
from repose.store.image_store import ImageStore

METHODS = ("flow", "flow-no-dual", "flow-no-flow", "flow-no-vis", "flow-no-pixel-warp", "flow-full")
PAIRS = 2


def main(results: Path) -> None:
    """Rows of open-fashion, then of open-market; seed 0."""
    shown = []
    for dataset in ("open-fashion", "open-market"):
        store = ImageStore(results / "data" / dataset / "images.zarr")
        for method in METHODS:
            predictions = results / "predictions" / dataset / method / "seed0.zarr" / "unseen"
            shown.append(Shown(dataset, method, predictions, store))
    with publish(Path(__file__).with_name("flow-results.png")) as private:
        private.write_bytes(draw(shown, PAIRS))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
